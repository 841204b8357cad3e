import type { Routine } from '../../operators/steps.js';
import { archiveFormatOf } from './archive-file.js';
import type { Folders } from './folders.js';
import { noEvidence } from './evidence.js';
import { Incarnation } from './incarnation.js';
import type { Lanes } from './lanes.js';
import type { Looker, Seen } from './looker.js';
import { unpackedName } from './names.js';
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

  /** A file that had the path and lost it again before anybody saw it there. False if it is gone meanwhile. */
  *readBetween(path: string, file: Seen): Routine<boolean> {
    const { mint, registry, scheduler } = this.#setting;
    // How long an archive's content is nobody knows yet.
    const isArchive = archiveFormatOf(file.path) !== undefined;
    const seen = isArchive ? undefined : yield* this.#looker.evidenceOf(file.path, file.size, file.id);
    if (seen === undefined && !isArchive && !(yield* this.#looker.isThere(file))) return false;
    const incarnation = new Incarnation(mint(), path, file.path, file.id, 0, seen ?? noEvidence);
    if (!isArchive) incarnation.seenSize = file.size;
    incarnation.fileSize = file.size;
    incarnation.seenMtimeMs = incarnation.provenMtimeMs = file.mtimeMs;
    incarnation.isEnded = true;
    incarnation.grownAt = scheduler.now();
    registry.add(incarnation);
    this.#lanes.readInSequence(incarnation);
    return true;
  }

  /** A file that the patterns match. */
  *discover(found: Seen, isFirstLook: boolean): Routine {
    const { context, registry } = this.#setting;
    // Of an empty file there is nothing to read, and it may become a copy of another one.
    if (found.size === 0 || registry.owns(found.id)) return;
    // A known one may have been cut since the look began; what was seen then is no new file.
    const [now] = isFirstLook && context.isFirstStart ? [found] : yield* this.#looker.statAll([found.path]);
    const file = now?.id === found.id ? now : found;
    if (file.size === 0 || this.#isOld(file)) return;
    if (archiveFormatOf(file.path) !== undefined) {
      yield* this.#discoverArchive(file, isFirstLook);
      return;
    }
    // What is there at the first start, or when there is only one look, is read; nobody waits for what becomes of it.
    const isNewSince = !context.once && !(isFirstLook && context.isFirstStart);
    if (isNewSince && (yield* this.#isCopy(file))) return;
    this.#held.delete(file.id);
    const incarnation = yield* this.#minted(file, isFirstLook);
    const isCertain = incarnation.evidence.end > 0 || (yield* this.#looker.isThere(file));
    if (!isCertain || !(yield* this.#readMissed(incarnation))) {
      this.#lookSoon();
      return;
    }
    // Meanwhile it may have been found under another name.
    if (registry.owns(file.id)) return;
    incarnation.seenSize = file.size;
    incarnation.seenMtimeMs = incarnation.provenMtimeMs = file.mtimeMs;
    registry.add(incarnation);
    this.#folders.watchFolderOf(file.path);
    this.#lanes.readInSequence(incarnation);
  }

  /** Nobody knows what is in it, or its incarnation would have been found there. */
  *#discoverArchive(file: Seen, isFirstLook: boolean): Routine {
    const { context, mint, options, registry } = this.#setting;
    // It is being made, or is a copy: what it is made of is there, and is read or not for its own sake.
    const plain = unpackedName(file.path);
    if ((yield* this.#looker.statAll([plain])).length > 0) return;
    if (yield* this.#mayBeOfKnown(plain)) {
      this.#lookSoon();
      return;
    }
    const isNewSince = !context.once && !isFirstLook;
    // Whoever makes it may not be done.
    if (isNewSince && this.#isHeld(file, options.rotateWaitMs)) return;
    this.#held.delete(file.id);
    const incarnation = new Incarnation(mint(), file.path, file.path, file.id, 0, noEvidence);
    incarnation.fileSize = file.size;
    incarnation.seenMtimeMs = incarnation.provenMtimeMs = file.mtimeMs;
    incarnation.isEnded = true;
    incarnation.isCaughtUp = isFirstLook && context.isFirstStart && options.from === 'end';
    registry.add(incarnation);
    this.#lanes.readInSequence(incarnation);
  }

  /** Whether a known file that the archive may have been made of has left its place since this look saw it there. */
  *#mayBeOfKnown(plain: string): Routine<boolean> {
    const { registry } = this.#setting;
    const known = [...registry.ofPath(plain), ...registry.relatedTo(plain)].filter(({ isGone }) => !isGone);
    const now = yield* this.#looker.statAll([...new Set(known.map(({ location }) => location))]);
    const ids = new Map(now.map(({ path, id }) => [path, id]));
    return known.some(({ location, fileId }) => ids.get(location) !== fileId);
  }

  #isOld({ mtimeMs }: Seen): boolean {
    const { options, scheduler } = this.#setting;
    return options.ignoreOlderThanMs !== undefined && scheduler.now() - mtimeMs > options.ignoreOlderThanMs;
  }

  /**
   * What had the path between its last incarnation and this one. The look has listed the folder before it saw this one,
   * so in between others may have come and gone. False if one of them has gone again.
   */
  *#readMissed(next: Incarnation): Routine<boolean> {
    const sinceMs = this.#vacantSince(next.path);
    if (sinceMs === undefined) return true;
    const search = new Search(this.#looker, this.#setting.registry);
    const missed = yield* search.between(next.path, sinceMs);
    if (missed === undefined) return false;
    for (const file of missed) {
      if (file.id === next.fileId) continue;
      // A copy of this one: it has been cut already, or is about to be.
      if ((yield* this.#looker.has(file.path, next.evidence)) || (yield* this.#isSame(file, next))) continue;
      if (!(yield* this.readBetween(next.path, file))) return false;
    }
    return true;
  }

  *#minted({ id: fileId, path, size }: Seen, isFirstLook: boolean): Routine<Incarnation> {
    const { context, mint, options } = this.#setting;
    const isFromEnd = isFirstLook && context.isFirstStart && options.from === 'end';
    // What was seen is proof before any of it was read: a file that no longer has it was cut.
    const seen = yield* this.#looker.evidenceOf(path, size, fileId);
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
  #isHeld({ id, size }: Seen, holdMs = COPY_HOLD_MS): boolean {
    const now = this.#setting.scheduler.now();
    const held = this.#held.get(id);
    if (held?.size !== size) {
      this.#held.set(id, { since: now, size });
      return true;
    }
    return now - held.since < holdMs;
  }
}
