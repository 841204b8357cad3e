import type { Routine } from '../../operators/steps.js';
import type { Folders } from './folders.js';
import { noEvidence } from './evidence.js';
import { Incarnation } from './incarnation.js';
import type { Lanes } from './lanes.js';
import type { Looker, Seen } from './looker.js';
import { Search } from './rotation.js';
import type { Setting } from './setting.js';

/** A file that looks like a copy of one that is being read: how long after its last change it is one on its own. */
const COPY_HOLD_MS = 10_000;

/** Files that no incarnation is known of yet. */
export class Discovery {
  readonly #setting: Setting;
  readonly #lanes: Lanes;
  readonly #folders: Folders;
  readonly #looker: Looker;
  readonly #lookSoon: () => void;
  readonly #vacantSince: (path: string) => number | undefined;
  readonly #held = new Map<string, { since: number; size: number }>();

  /** `vacantSince`: when what had a path before was written last, if nothing is known to be there now. */
  constructor(
    setting: Setting,
    lanes: Lanes,
    folders: Folders,
    looker: Looker,
    lookSoon: () => void,
    vacantSince: (path: string) => number | undefined,
  ) {
    this.#setting = setting;
    this.#lanes = lanes;
    this.#folders = folders;
    this.#looker = looker;
    this.#lookSoon = lookSoon;
    this.#vacantSince = vacantSince;
  }

  /** A file that had the path and lost it again before anybody saw it there. */
  *readBetween(path: string, file: Seen): Routine {
    const { mint, registry, scheduler } = this.#setting;
    const seen = yield* this.#looker.evidenceOf(file.path, file.size);
    const incarnation = new Incarnation(mint(), path, file.path, file.id, 0, seen ?? noEvidence);
    incarnation.seenSize = file.size;
    incarnation.seenMtimeMs = incarnation.provenMtimeMs = file.mtimeMs;
    incarnation.isEnded = true;
    incarnation.grownAt = scheduler.now();
    registry.add(incarnation);
    this.#lanes.readInSequence(incarnation);
  }

  /** A file that the patterns match. */
  *discover(found: Seen, isFirstLook: boolean): Routine {
    const { context, registry } = this.#setting;
    // Of an empty file there is nothing to read, and it may become a copy of another one.
    if (found.size === 0 || registry.owns(found.id)) return;
    // A known one may have been cut since the look began; what was seen then is no new file.
    const [now] = yield* this.#looker.statAll([found.path]);
    const file = now?.id === found.id ? now : found;
    if (file.size === 0) return;
    // What is there at the first start, or when there is only one look, is read; nobody waits for what becomes of it.
    const isNewSince = !context.once && !(isFirstLook && context.isFirstStart);
    if (isNewSince && (yield* this.#isCopy(file))) return;
    this.#held.delete(file.id);
    const incarnation = yield* this.#minted(file, isFirstLook);
    yield* this.#readMissed(incarnation);
    // Meanwhile it may have been found under another name.
    if (registry.owns(file.id)) return;
    incarnation.seenSize = file.size;
    incarnation.seenMtimeMs = incarnation.provenMtimeMs = file.mtimeMs;
    registry.add(incarnation);
    this.#folders.watchFolderOf(file.path);
    this.#lanes.readInSequence(incarnation);
  }

  /**
   * What had the path between its last incarnation and this one. The look has listed the folder before it saw this one,
   * so in between others may have come and gone.
   */
  *#readMissed(next: Incarnation): Routine {
    const sinceMs = this.#vacantSince(next.path);
    if (sinceMs === undefined) return;
    const search = new Search(this.#looker, this.#setting.registry);
    for (const file of yield* search.between(next.path, sinceMs)) {
      if (file.id === next.fileId) continue;
      // A copy of this one: it has been cut already, or is about to be.
      if ((yield* this.#looker.has(file.path, next.evidence)) || (yield* this.#isSame(file, next))) continue;
      yield* this.readBetween(next.path, file);
    }
  }

  *#minted({ id: fileId, path, size }: Seen, isFirstLook: boolean): Routine<Incarnation> {
    const { context, mint, options } = this.#setting;
    const isFromEnd = isFirstLook && context.isFirstStart && options.from === 'end';
    // What was seen is proof before any of it was read: a file that no longer has it was cut.
    const seen = yield* this.#looker.evidenceOf(path, size);
    return new Incarnation(mint(), path, path, fileId, isFromEnd ? size : 0, seen ?? noEvidence);
  }

  /** Whether a new file is what copytruncate makes of one that is being read: its lines come out of the original. */
  *#isCopy(file: Seen): Routine<boolean> {
    for (const incarnation of this.#setting.registry.relatedTo(file.path)) {
      if (incarnation.isEnded) continue;
      if (yield* this.#isSame(file, incarnation)) return this.#isHeld(file);
      const { evidence, location } = incarnation;
      if (evidence.end === 0 || !(yield* this.#looker.has(file.path, evidence))) continue;
      if (yield* this.#looker.has(location, evidence)) continue;
      // The original was cut and has grown again beyond its old size.
      incarnation.isRewritten = true;
      this.#lookSoon();
      return true;
    }
    return false;
  }

  /** Whether a file begins as the one of an incarnation does. */
  *#isSame(file: Seen, incarnation: Incarnation): Routine<boolean> {
    const end = Math.min(file.size, incarnation.seenSize);
    const ofCopy = yield* this.#looker.evidenceOf(file.path, end);
    const ofOriginal = yield* this.#looker.evidenceOf(incarnation.location, end);
    return end > 0 && ofCopy?.head === ofOriginal?.head && ofCopy?.tail === ofOriginal?.tail;
  }

  /** A copy of an intact file: the cut is still to come, or it is a backup that happens to match the patterns. */
  #isHeld({ id, size }: Seen): boolean {
    const now = this.#setting.scheduler.now();
    const held = this.#held.get(id);
    if (held?.size !== size) {
      this.#held.set(id, { since: now, size });
      return true;
    }
    return now - held.since < COPY_HOLD_MS;
  }
}
