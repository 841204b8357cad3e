import type { Routine } from '../../operators/steps.js';
import type { Incarnation } from './incarnation.js';
import type { Looker, Seen } from './looker.js';
import { isCompressed, isRelated, isRotationOf } from './names.js';

/** Where an incarnation is now: in place, somewhere else, or nowhere. */
export type Whereabouts =
  | { readonly kind: 'inPlace'; readonly file: Seen }
  /** The rest of it is in this file; its path belongs to another one now. */
  | { readonly kind: 'ended'; readonly file: Seen }
  /** Its file was removed, or its content was before it was read. */
  | { readonly kind: 'removed' };

/** Finds where incarnations have gone. One for each look: what it reads of a folder is read once. */
export class Search {
  readonly #looker: Looker;
  readonly #siblings = new Map<string, Seen[]>();
  readonly #isOwned: (file: Seen) => boolean;

  /** `isOwned`: whether a file is known to be some incarnation's. */
  constructor(looker: Looker, isOwned: (file: Seen) => boolean) {
    this.#looker = looker;
    this.#isOwned = isOwned;
  }

  /** `at`: what is now where the incarnation was. */
  *locate(incarnation: Incarnation, at: Seen | undefined): Routine<Whereabouts> {
    if (at?.id === incarnation.fileId) {
      if (this.#isIntact(incarnation, at)) return found(incarnation, at);
      return yield* this.#copyOf(incarnation);
    }
    const moved = (yield* this.#siblingsOf(incarnation.location)).find(({ id }) => id === incarnation.fileId);
    if (moved !== undefined && (yield* this.#looker.has(moved.path, incarnation.evidence))) {
      return found(incarnation, moved);
    }
    // Written anew with the old content first, as rsync does it.
    if (at !== undefined && !this.#isOwned(at) && (yield* this.#isSame(at, incarnation))) {
      return found(incarnation, at);
    }
    return yield* this.#copyOf(incarnation);
  }

  /** Files that had the path, were written last at `sinceMs` or later, and are nobody's; oldest first. */
  *between(path: string, sinceMs: number): Routine<Seen[]> {
    const siblings = yield* this.#siblingsOf(path);
    return siblings
      .filter((file) => isRotationOf(file.path, path) && !this.#isOwned(file) && file.size > 0)
      .filter((file) => file.mtimeMs >= sinceMs)
      .sort((a, b) => a.mtimeMs - b.mtimeMs);
  }

  #isIntact({ isRewritten, endBeforeLook, seenSize }: Incarnation, { size }: Seen): boolean {
    return !isRewritten && size >= endBeforeLook && size >= seenSize;
  }

  /** The copy that copytruncate made before it cut the file. */
  *#copyOf(incarnation: Incarnation): Routine<Whereabouts> {
    const { path, evidence, seenSize, seenMtimeMs } = incarnation;
    const candidates = (yield* this.#siblingsOf(path))
      .filter((file) => file.id !== incarnation.fileId && !this.#isOwned(file) && !isCompressed(file.path))
      .sort((a, b) => Number(isRelated(b.path, path)) - Number(isRelated(a.path, path)) || b.mtimeMs - a.mtimeMs);
    for (const file of candidates) {
      if (yield* this.#isSame(file, incarnation)) return { kind: 'ended', file };
    }
    if (evidence.end > 0) return { kind: 'removed' };
    // Nothing was read of it, so no content can prove it: the oldest rotation since then that has room for it.
    const rotations = candidates.filter((file) => isRotationOf(file.path, path) && file.size >= seenSize);
    const since = rotations.filter((file) => file.mtimeMs >= seenMtimeMs).sort((a, b) => a.mtimeMs - b.mtimeMs);
    const [oldest] = seenSize > 0 ? since : [];
    return oldest === undefined ? { kind: 'removed' } : { kind: 'ended', file: oldest };
  }

  *#isSame({ path, size }: Seen, { evidence }: Incarnation): Routine<boolean> {
    if (evidence.end === 0 || size < evidence.end) return false;
    return yield* this.#looker.has(path, evidence);
  }

  *#siblingsOf(path: string): Routine<Seen[]> {
    const folder = path.slice(0, path.lastIndexOf('/'));
    let siblings = this.#siblings.get(folder);
    if (siblings === undefined) {
      siblings = yield* this.#looker.siblings(path);
      this.#siblings.set(folder, siblings);
    }
    return siblings;
  }
}

/** Under its own name it is current, again perhaps; under any other it has ended. */
function found({ path }: Incarnation, file: Seen): Whereabouts {
  return { kind: file.path === path ? 'inPlace' : 'ended', file };
}
