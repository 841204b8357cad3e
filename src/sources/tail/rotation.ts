import { folderOf } from '../../model/files.js';
import type { Routine } from '../../operators/steps.js';
import type { Incarnation } from './incarnation.js';
import type { Looker, Seen } from './looker.js';
import { isCompressed, isRelated, isRotationOf } from './names.js';
import type { Registry } from './registry.js';

/** `inPlace`: under its path. `ended`: the rest of it is in this file; its path belongs to another one now. */
export interface Found {
  readonly kind: 'inPlace' | 'ended';
  readonly file: Seen;
}

/** Where an incarnation is now. `removed`: its file was, or its content before it was read. */
export type Whereabouts = Found | { readonly kind: 'removed' };

/** Finds where incarnations have gone. One for each look: what it reads of a folder is read once. */
export class Search {
  readonly #looker: Looker;
  readonly #siblings = new Map<string, Seen[]>();
  readonly #again = new Map<string, Seen[]>();
  readonly #registry: Registry;

  constructor(looker: Looker, registry: Registry) {
    this.#looker = looker;
    this.#registry = registry;
  }

  /** `at`: what is now where the incarnation was. */
  *locate(incarnation: Incarnation, at: Seen | undefined): Routine<Whereabouts> {
    const isThere = at?.id === incarnation.fileId;
    if (isThere && this.#isIntact(incarnation, at)) return found(incarnation, at);
    const moved = (yield* this.#siblingsOf(incarnation.location)).find(({ id }) => id === incarnation.fileId);
    const isElsewhere = moved !== undefined && !(isThere && moved.path === at.path);
    if (isElsewhere && !(yield* this.#looker.isOther(moved.path, incarnation.evidence))) {
      return found(incarnation, moved);
    }
    // Written anew with the old content first, as rsync does it.
    if (at !== undefined && !isThere && !this.#isOwned(at) && (yield* this.#isSame(at, incarnation))) {
      return found(incarnation, at);
    }
    return yield* this.#copyOf(incarnation);
  }

  /** Files that had the path, were written last at `sinceMs` or later, and are nobody's; oldest first. */
  *between(path: string, sinceMs: number): Routine<Seen[]> {
    const siblings = yield* this.#siblingsOf(path);
    return siblings
      .filter((file) => isRotationOf(file.path, path) && !this.#registry.owns(file.id) && file.size > 0)
      .filter((file) => file.mtimeMs >= sinceMs)
      .sort((a, b) => a.mtimeMs - b.mtimeMs);
  }

  /** Whether some incarnation is there. By its inode alone a file may be what another one, gone by now, once was. */
  #isOwned({ id, path }: Seen): boolean {
    return this.#registry.owns(id) && this.#registry.at(path)?.fileId === id;
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
    const rotations = candidates.filter(
      (file) => isRotationOf(file.path, path) && !this.#registry.owns(file.id) && file.size >= seenSize,
    );
    const since = rotations.filter((file) => file.mtimeMs >= seenMtimeMs).sort((a, b) => a.mtimeMs - b.mtimeMs);
    const [oldest] = seenSize > 0 ? since : [];
    return oldest === undefined ? { kind: 'removed' } : { kind: 'ended', file: oldest };
  }

  /** Whether names in the folder of a path have moved since this search listed it: then what it did not find proves nothing. */
  *hasMoved(path: string): Routine<boolean> {
    const folder = folderOf(path);
    const before = this.#siblings.get(folder);
    if (before === undefined) return false;
    let now = this.#again.get(folder);
    if (now === undefined) {
      now = yield* this.#looker.siblings(path);
      this.#again.set(folder, now);
    }
    return namesOf(before) !== namesOf(now);
  }

  *#isSame({ path, size }: Seen, { evidence }: Incarnation): Routine<boolean> {
    if (evidence.end === 0 || size < evidence.end) return false;
    return yield* this.#looker.has(path, evidence);
  }

  *#siblingsOf(path: string): Routine<Seen[]> {
    const folder = folderOf(path);
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

function namesOf(files: readonly Seen[]): string {
  return files.map(({ path, id }) => `${path}\0${id}`).join('\0');
}
