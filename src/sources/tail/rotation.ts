import { folderOf, nameOf } from '../../model/files.js';
import type { Routine } from '../../operators/steps.js';
import { isVague } from './evidence.js';
import type { Incarnation } from './incarnation.js';
import type { Looker, Seen } from './looker.js';
import { archiveFormatOf } from './archive-file.js';
import { isCompressed, isRotationOf, olderFirst, prefixesOf, stemOf, unpackedName } from './names.js';
import type { Registry } from './registry.js';

/** `inPlace`: under its path. `ended`: the rest of it is in this file; its path belongs to another one now. */
export interface Found {
  readonly kind: 'inPlace' | 'ended';
  readonly file: Seen;
}

/**
 * Where an incarnation is now. `removed`: its file was, or its content before it was read. `unclear`: files were renamed
 * meanwhile, so it has to be asked again.
 */
export type Whereabouts = Found | { readonly kind: 'removed' | 'unclear' };

/** Finds where incarnations have gone. One for each look: what it reads of a folder is read once. */
export class Search {
  readonly #looker: Looker;
  readonly #listings = new Map<string, Listing>();
  /** By folder: whether names have moved since it was listed. */
  readonly #moved = new Map<string, boolean>();
  readonly #registry: Registry;
  readonly #matched: readonly Seen[];

  /** `matched`: files that the patterns match, in any folder. */
  constructor(looker: Looker, registry: Registry, matched: readonly Seen[] = []) {
    this.#looker = looker;
    this.#registry = registry;
    this.#matched = matched;
  }

  /** `at`: what is now where the incarnation was. */
  *locate(incarnation: Incarnation, at: Seen | undefined): Routine<Whereabouts> {
    const where = yield* this.#latest(incarnation, at);
    if (!('file' in where) || !isVague(incarnation.evidence) || isAsSeen(where.file, incarnation)) return where;
    // Another one got its name, and begins with so few bytes as well: its own file may only have been missed.
    const isOther = where.file.path === incarnation.location && where.file.id !== incarnation.fileId;
    if (isOther && incarnation.isEnded && (yield* this.#isListedOtherwise(incarnation.location)))
      return { kind: 'unclear' };
    return (yield* this.#earlier(incarnation, where.file)) ?? where;
  }

  *#latest(incarnation: Incarnation, at: Seen | undefined): Routine<Whereabouts> {
    const isThere = at?.id === incarnation.fileId;
    if (isThere && this.#isIntact(incarnation, at) && !(yield* this.#isReused(at, incarnation))) {
      return found(incarnation, at);
    }
    const listing = yield* this.#listingOf(incarnation.location);
    const moved = listing.byId.get(incarnation.fileId);
    const isElsewhere =
      moved !== undefined && !(isThere && moved.path === at.path) && !this.#isNewOne(moved, incarnation, listing);
    if (
      isElsewhere &&
      (isSameArchive(moved, incarnation) || !(yield* this.#looker.isOther(moved.path, incarnation.evidence)))
    ) {
      return found(incarnation, moved);
    }
    // Written anew with the old content first, as rsync does it.
    if (at !== undefined && !isThere && !this.#isOwned(at) && (yield* this.#isSame(at, incarnation))) {
      return found(incarnation, at);
    }
    return yield* this.#copyOf(incarnation);
  }

  /**
   * Files that had the path, were written last at `sinceMs` or later, and are nobody's; oldest first. Undefined when files
   * were renamed meanwhile, so that an archive may be what a known one was made into.
   */
  *between(path: string, sinceMs: number): Routine<Seen[] | undefined> {
    const listing = yield* this.#listingOf(path);
    const isMissed = (file: Seen): boolean =>
      isRotationOf(unpackedName(file.path), path) &&
      !this.#registry.owns(file.id) &&
      file.size > 0 &&
      file.mtimeMs >= sinceMs;
    const archives = listing.archives.filter((file) => isMissed(file) && !listing.hasUnpacked(file));
    if (archives.length > 0 && this.#hasLostOne(path, listing)) return undefined;
    return [...listing.relatedTo(path).filter(isMissed), ...archives].sort(firstFirst);
  }

  /** Whether a known file that this look has found is no longer in the folder. */
  #hasLostOne(path: string, { byId }: Listing): boolean {
    return this.#registry
      .ofPath(path)
      .some(({ isGone, location, fileId }) => !isGone && folderOf(location) === folderOf(path) && !byId.has(fileId));
  }

  /** Whether some incarnation is there. By its inode alone a file may be what another one, gone by now, once was. */
  #isOwned({ id, path }: Seen): boolean {
    return this.#registry.owns(id) && this.#registry.at(path)?.fileId === id;
  }

  #isIntact({ isRewritten, endBeforeLook, seenSize, isArchive }: Incarnation, { size }: Seen): boolean {
    if (isArchive) return !isRewritten;
    return !isRewritten && size >= endBeforeLook && size >= seenSize;
  }

  /**
   * So little of it is known that later files of its path begin with it as well: then it is the first of them that was
   * written since, unless that is a copy of the beginning of the one that was found.
   */
  *#earlier(incarnation: Incarnation, found: Seen): Routine<Whereabouts | undefined> {
    const { path, seenMtimeMs } = incarnation;
    const listing = yield* this.#listingOf(path);
    const isCandidate = (file: Seen): boolean =>
      file.id !== found.id &&
      isRotationOf(unpackedName(file.path), path) &&
      !this.#isOwned(file) &&
      file.mtimeMs >= seenMtimeMs &&
      file.mtimeMs <= found.mtimeMs;
    const archives = listing.archives.filter((file) => !listing.hasUnpacked(file));
    const candidates = [...listing.relatedTo(path), ...archives].filter(isCandidate);
    for (const file of candidates.sort(firstFirst)) {
      const isSame = yield* this.#isSame(file, incarnation);
      if (isSame && !(yield* this.#looker.beginsWith(found.path, file))) return { kind: 'ended', file };
      if (!isSame && (yield* this.#mayBeIt(file, incarnation))) return { kind: 'unclear' };
    }
    return undefined;
  }

  /** The copy that copytruncate made before it cut the file. */
  *#copyOf(incarnation: Incarnation): Routine<Whereabouts> {
    const { path, evidence, seenSize, seenMtimeMs } = incarnation;
    const listing = yield* this.#listingOf(path);
    const isCandidate = (file: Seen): boolean =>
      file.id !== incarnation.fileId && !this.#isOwned(file) && !isCompressed(file.path);
    const related = listing.relatedTo(path).filter(isCandidate);
    const names = new Set(related.map((file) => file.path));
    const strangers = listing.strangers((file) => this.#isOwned(file));
    const isLog = (file: Seen): boolean => isVague(evidence) && this.#registry.isMatched(file.path);
    // A log on its own that begins with the same few bytes is no copy.
    const others = strangers.filter((file) => !names.has(file.path) && isCandidate(file) && !isLog(file));
    for (const file of [...related.sort(latestFirst), ...others.sort(latestFirst)]) {
      if (yield* this.#isSame(file, incarnation)) return { kind: 'ended', file };
      if (yield* this.#mayBeIt(file, incarnation)) return { kind: 'unclear' };
    }
    if (evidence.end > 0) return (yield* this.#archiveOf(incarnation, listing)) ?? { kind: 'removed' };
    // Nothing was read of it, so no content can prove it: the oldest rotation since then that has room for it.
    const rotations = related.filter(
      (file) => isRotationOf(file.path, path) && !this.#registry.owns(file.id) && file.size >= seenSize,
    );
    const since = rotations.filter((file) => file.mtimeMs >= seenMtimeMs).sort((a, b) => a.mtimeMs - b.mtimeMs);
    const [oldest] = seenSize > 0 ? since : [];
    return oldest === undefined ? { kind: 'removed' } : { kind: 'ended', file: oldest };
  }

  /** Its file may have been compressed since the last look. Of several the one with its name, then with its time. */
  *#archiveOf(incarnation: Incarnation, listing: Listing): Routine<Whereabouts | undefined> {
    const { path, location, seenMtimeMs } = incarnation;
    const isCandidate = (file: Seen): boolean => {
      const name = unpackedName(file.path);
      const isRelated = name === location || nameOf(name) === nameOf(path) || isRotationOf(nameOf(name), nameOf(path));
      return isRelated && archiveFormatOf(file.path) !== undefined && !this.#isOwned(file);
    };
    const distance = ({ path: at, mtimeMs }: Seen): number =>
      unpackedName(at) === location ? -1 : Math.abs(mtimeMs - seenMtimeMs);
    const elsewhere = this.#matched.filter((file) => folderOf(file.path) !== folderOf(path));
    const candidates = [...listing.archives, ...elsewhere].filter(isCandidate);
    for (const file of candidates.sort((a, b) => distance(a) - distance(b))) {
      if (yield* this.#looker.has(file.path, incarnation.evidence, file.id)) return { kind: 'ended', file };
      if (yield* this.#mayBeIt(file, incarnation)) return { kind: 'unclear' };
    }
    return undefined;
  }

  /** Its name has moved on before it could be asked, and so little is known that the next one may begin alike. */
  *#mayBeIt(file: Seen, { evidence }: Incarnation): Routine<boolean> {
    return isVague(evidence) && !(yield* this.#looker.isThere(file));
  }

  /** Whether only the inode is the same: no renaming makes an archive of a file, or a log of another one. */
  #isNewOne(file: Seen, incarnation: Incarnation, listing: Listing): boolean {
    if ((archiveFormatOf(file.path) !== undefined) !== incarnation.isArchive) return true;
    const isLog = this.#registry.isMatched(file.path) && !listing.relatedTo(incarnation.path).includes(file);
    return isLog && isVague(incarnation.evidence) && file.mtimeMs !== incarnation.seenMtimeMs;
  }

  /** Rotated files are removed, and the next one may get the name and the inode of one that was compressed. */
  *#isReused(at: Seen, incarnation: Incarnation): Routine<boolean> {
    if (!incarnation.isEnded || incarnation.isArchive || isAsSeen(at, incarnation)) return false;
    return yield* this.#looker.isOther(at.path, incarnation.evidence);
  }

  /** Whether names in the folder of a path have moved since this search listed it: then what it did not find proves nothing. */
  *hasMoved(path: string): Routine<boolean> {
    const folder = folderOf(path);
    let hasMoved = this.#moved.get(folder);
    if (hasMoved === undefined) {
      hasMoved = yield* this.#isListedOtherwise(path);
      this.#moved.set(folder, hasMoved);
    }
    return hasMoved;
  }

  *#isListedOtherwise(path: string): Routine<boolean> {
    const before = this.#listings.get(folderOf(path));
    return before !== undefined && namesOf(before.files) !== namesOf(yield* this.#looker.siblings(path));
  }

  /** Names may have moved since it was seen: what has its name now says nothing of it. */
  *#isSame({ path, size, id }: Seen, { evidence }: Incarnation): Routine<boolean> {
    if (evidence.end === 0 || (size < evidence.end && archiveFormatOf(path) === undefined)) return false;
    return yield* this.#looker.has(path, evidence, id);
  }

  *#listingOf(path: string): Routine<Listing> {
    const folder = folderOf(path);
    let listing = this.#listings.get(folder);
    if (listing === undefined) {
      listing = new Listing(yield* this.#looker.siblings(path));
      this.#listings.set(folder, listing);
    }
    return listing;
  }
}

/** The files of a folder. Many may have to be found in it, so what they are found by is looked up. */
class Listing {
  readonly files: readonly Seen[];
  readonly byId: ReadonlyMap<string, Seen>;
  #byPrefix: Map<string, Seen[]> | undefined;
  #strangers: readonly Seen[] | undefined;
  #archives: readonly Seen[] | undefined;
  #names: ReadonlySet<string> | undefined;

  constructor(files: readonly Seen[]) {
    this.files = files;
    // Of several names of a file the first one.
    this.byId = new Map(files.toReversed().map((file) => [file.id, file]));
  }

  /** Files that may be the renamed or copied log, by their name. */
  relatedTo(log: string): Seen[] {
    this.#byPrefix ??= this.#prefixes();
    const files = [log, stemOf(log)].flatMap((prefix) => this.#byPrefix?.get(prefix) ?? []);
    return [...new Set(files)].filter(({ path }) => path !== log && !isCompressed(path));
  }

  get archives(): readonly Seen[] {
    return (this.#archives ??= this.files.filter(({ path }) => archiveFormatOf(path) !== undefined));
  }

  /** Whether what an archive was made of is still there: then it is a copy, perhaps not even a complete one. */
  hasUnpacked({ path }: Seen): boolean {
    this.#names ??= new Set(this.files.map((file) => file.path));
    return this.#names.has(unpackedName(path));
  }

  /** Files that belonged to nobody when this was asked first. */
  strangers(isOwned: (file: Seen) => boolean): readonly Seen[] {
    this.#strangers ??= this.files.filter((file) => !isOwned(file));
    return this.#strangers;
  }

  #prefixes(): Map<string, Seen[]> {
    const files = new Map<string, Seen[]>();
    for (const file of this.files) {
      for (const prefix of prefixesOf(file.path)) {
        const others = files.get(prefix);
        if (others === undefined) files.set(prefix, [file]);
        else others.push(file);
      }
    }
    return files;
  }
}

function firstFirst(a: Seen, b: Seen): number {
  return a.mtimeMs - b.mtimeMs || olderFirst(a.path, b.path);
}

function latestFirst(a: Seen, b: Seen): number {
  return b.mtimeMs - a.mtimeMs;
}

/** Under its own name it is current, again perhaps; under any other it has ended, and so has what was compressed. */
function found({ path }: Incarnation, file: Seen): Whereabouts {
  const isCurrent = file.path === path && archiveFormatOf(path) === undefined;
  return { kind: isCurrent ? 'inPlace' : 'ended', file };
}

function namesOf(files: readonly Seen[]): string {
  return files.map(({ path, id }) => `${path}\0${id}`).join('\0');
}

/** Nobody has written to it since. */
function isAsSeen({ id, path, mtimeMs }: Seen, { fileId, location, seenMtimeMs }: Incarnation): boolean {
  return id === fileId && path === location && mtimeMs === seenMtimeMs;
}

/** Archives are not written to: with its inode and time it is the same one, without unpacking it. */
function isSameArchive({ path, mtimeMs }: Seen, { isArchive, seenMtimeMs }: Incarnation): boolean {
  return isArchive && archiveFormatOf(path) !== undefined && mtimeMs === seenMtimeMs;
}
