import { randomBytes } from 'node:crypto';
import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  finalize,
  from,
  ignoreElements,
  merge,
  mergeMap,
  NEVER,
  of,
  onErrorResumeNext,
  Subject,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { Lane } from '../../model/batch.js';
import { MillraceError, messageOf } from '../../model/errors.js';
import { folderOf } from '../../model/files.js';
import type { Files, FolderChange } from '../../model/files.js';
import type { Source, SourceContext } from '../../model/source.js';
import { backoffMs } from '../../operators/backoff.js';
import type { BackoffPolicy } from '../../operators/backoff.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { workWhile } from '../../operators/work-while.js';
import { Incarnation } from './incarnation.js';
import { BufferPool, readLane } from './lane-reader.js';
import type { ReaderEnvironment } from './lane-reader.js';
import { Looker } from './looker.js';
import type { Seen } from './looker.js';
import { isCompressed, isRelated } from './names.js';
import type { TailOptions } from './options.js';
import { Registry } from './registry.js';
import { Search } from './rotation.js';
import type { Found } from './rotation.js';

/** What a tail source needs of the world. */
export interface TailPorts {
  readonly files: Files;
  /** A new random incarnation id. Default: 64 random bits, in hexadecimal. */
  readonly mint?: () => string;
}

/** Changes often come in bursts: a rotation is several. */
const LOOK_DELAY_MS = 10;
/** So many files nobody reported a change of are looked at each time; with more of them, by turns. */
const QUIET_FILES_A_LOOK = 1000;
/** So often the patterns are matched again when there are many files. */
const LOOKS_A_GLOB = 5;
/** So often a folder is searched for files that had a path between two looks, when nothing has changed there. */
const LOOKS_A_LISTING = 5;
/** A file that looks like a copy of one that is being read: how long after its last change it is one on its own. */
const COPY_HOLD_MS = 10_000;
/** A rotated file outside the patterns is looked at for so long after its last growth. */
const FORGET_AFTER_MS = 600_000;
const MAX_WATCHED_FOLDERS = 512;
/** How a file is tried again that cannot be read. */
const RETRY: BackoffPolicy = { initialMs: 100, maxMs: 5000 };

/**
 * Reads files and follows them as they grow and rotate. Every incarnation of a file is a lane.
 *
 * - a line comes out if at some look it is in the file, or in its renamed or copied successor in the same folder;
 *   what was removed before it could be read is reported with its size (MILLRACE_E_TAIL_LOST).
 * - the incarnations of a path are read one after the other.
 * - changes are noticed by notification, and by a look every `pollMs` where there is none (NFS).
 * - when demand is shut nothing is read: the file is the buffer.
 * - memory: an entry a file; at most `maxOpenFiles` files are open. One timer for all files.
 */
export function tailSource(
  options: TailOptions,
  { files, mint = () => randomBytes(8).toString('hex') }: TailPorts,
  scheduler: SchedulerLike = asyncScheduler,
): Source {
  return { open: (context) => defer(() => new Tailing(options, files, mint, context, scheduler).lanes) };
}

class Tailing {
  readonly #options: TailOptions;
  readonly #files: Files;
  readonly #mint: () => string;
  readonly #context: SourceContext;
  readonly #scheduler: SchedulerLike;
  readonly #looker: Looker;
  readonly #environment: ReaderEnvironment;
  readonly #registry = new Registry();
  readonly #ready = new Subject<Incarnation>();
  readonly #failures = new Subject<Incarnation>();
  readonly #sequences = new Subject<Observable<never>>();
  readonly #folders = new Subject<string>();
  readonly #watched = new Set<string>();
  readonly #looks = new Subject<void>();
  readonly #finished = new Subject<void>();
  readonly #held = new Map<string, { since: number; size: number }>();
  readonly #missing = new Set<string>();
  /** By path: incarnations that were removed, and are to be forgotten when the next one is in the checkpoint. */
  readonly #left = new Map<string, readonly string[]>();
  /** Paths that have no current incarnation: when the last one was written, and at which look it had left. */
  readonly #vacant = new Map<string, { mtimeMs: number; since: number; look: number }>();
  #waiting = 0;
  #isStopped = false;
  #wantsLook = false;
  #lookCount = 0;
  #turn = 0;

  constructor(
    options: TailOptions,
    files: Files,
    mint: () => string,
    context: SourceContext,
    scheduler: SchedulerLike,
  ) {
    this.#options = options;
    this.#files = files;
    this.#mint = mint;
    this.#context = context;
    this.#scheduler = scheduler;
    this.#looker = new Looker(files);
    this.#environment = {
      files,
      options,
      context,
      scheduler,
      buffers: new BufferPool(),
      idle: new Set(),
      lookSoon: () => this.#lookSoon(),
      othersWait: () => this.#waiting > 0,
    };
  }

  get lanes(): Observable<Lane> {
    const over = merge(this.#context.stop, this.#finished).pipe(tap(() => (this.#isStopped = true)));
    const ticks = this.#context.once ? of(0) : timer(0, this.#options.pollMs, this.#scheduler);
    return merge(
      this.#ready.pipe(
        // No new lanes; those that are open end by themselves and are waited for.
        // eslint-disable-next-line rxjs-x/no-unsafe-takeuntil
        takeUntil(over),
        mergeMap((incarnation) => this.#lane(incarnation), this.#options.maxOpenFiles),
      ),
      this.#sequences.pipe(
        mergeMap((sequence) => sequence, Infinity),
        takeUntil(over),
      ),
      this.#failures.pipe(
        mergeMap((incarnation) => this.#tryAgain(incarnation), Infinity),
        takeUntil(over),
      ),
      this.#folders.pipe(
        mergeMap((folder) => this.#watch(folder), MAX_WATCHED_FOLDERS),
        ignoreElements(),
        takeUntil(over),
      ),
      merge(ticks, this.#looks).pipe(
        workWhile(
          () => this.#wantsLook,
          defer(() => this.#look()),
        ),
        takeUntil(over),
      ),
    );
  }

  #lookSoon(): void {
    this.#wantsLook = true;
    this.#looks.next();
  }

  // ---- lanes

  #enqueue(incarnation: Incarnation): void {
    incarnation.isBusy = true;
    this.#waiting++;
    this.#ready.next(incarnation);
    // All turns are taken: whoever has waited longest for its file to grow makes room.
    const [idle] = this.#waiting > 0 ? this.#environment.idle : [];
    idle?.signal('close');
  }

  /** There may be more to read. */
  #nudge(incarnation: Incarnation): void {
    incarnation.isDirty = true;
    if (!incarnation.isDue || incarnation.isFailing) return;
    if (incarnation.isBusy) incarnation.signal('look');
    else this.#enqueue(incarnation);
  }

  /** Emits the lane of an incarnation, and completes when it has ended. */
  #lane(incarnation: Incarnation): Observable<Lane> {
    return defer(() => {
      this.#waiting--;
      // It was dropped while it waited: nobody would forget it once more.
      if (!this.#registry.has(incarnation)) return EMPTY;
      const ended = new Subject<never>();
      const { id, path, position, state } = incarnation;
      const lane: Lane = {
        id,
        position,
        state,
        fields: { ...this.#options.fields, 'log.file.path': path },
        revoked: NEVER,
        batches: defer(() => {
          // By now it is in the checkpoint.
          this.#forgetLeft(path);
          return readLane(incarnation, this.#environment);
        }).pipe(
          catchError((error: unknown) => {
            this.#failed(incarnation, error);
            return EMPTY;
          }),
          finalize(() => {
            this.#laneEnded(incarnation);
            ended.complete();
          }),
        ),
      };
      return concat(of(lane), ended);
    });
  }

  #laneEnded(incarnation: Incarnation): void {
    incarnation.isBusy = false;
    if (incarnation.isCaughtUp) incarnation.letOthersGoOn();
    // Nobody can open it again.
    if (incarnation.isGone) this.#drop(incarnation);
    else if (incarnation.isDirty && incarnation.isDue && !incarnation.isFailing && !this.#isStopped)
      this.#enqueue(incarnation);
    this.#finishOnce();
  }

  /** It cannot be read now: others get its turn, and it is tried again later. */
  #failed(incarnation: Incarnation, error: unknown): void {
    const { once, startDeadlineMs, report } = this.#context;
    incarnation.isDirty = false;
    incarnation.failedTries++;
    if (incarnation.failedTries === 1) incarnation.failingSince = this.#scheduler.now();
    incarnation.letOthersGoOn(error instanceof Error ? error : new Error(messageOf(error)));
    const isLate = once && this.#scheduler.now() - incarnation.failingSince > startDeadlineMs;
    if (isLate) {
      report({ level: 'error', code: 'MILLRACE_E_FLOW_START_DEADLINE', message: messageOf(error) });
      return;
    }
    incarnation.isFailing = true;
    const tries = incarnation.failedTries;
    report({
      // Said at once, then less and less often: at the 2nd, 4th, 8th … failure in a row.
      level: (tries & (tries - 1)) === 0 ? 'warn' : 'debug',
      message: `${messageOf(error)}; trying again`,
      ...(error instanceof MillraceError ? { code: error.code } : {}),
    });
    this.#failures.next(incarnation);
  }

  #tryAgain(incarnation: Incarnation): Observable<never> {
    return timer(backoffMs(RETRY, incarnation.failedTries), this.#scheduler).pipe(
      tap(() => {
        incarnation.isFailing = false;
        if (this.#registry.has(incarnation)) this.#nudge(incarnation);
      }),
      ignoreElements(),
    );
  }

  #drop(incarnation: Incarnation): void {
    this.#registry.remove(incarnation);
    this.#passed(incarnation);
    this.#context.forget(incarnation.id);
  }

  #forgetLeft(path: string): void {
    for (const id of this.#left.get(path) ?? []) this.#context.forget(id);
    this.#left.delete(path);
  }

  /** Those that come after it need not wait for it any more. */
  #passed(incarnation: Incarnation): void {
    incarnation.isCaughtUp = true;
    incarnation.letOthersGoOn();
  }

  /** With `once`: everything that is there was read. */
  #finishOnce(): void {
    if (!this.#context.once || this.#wantsLook || this.#lookCount === 0) return;
    if ([...this.#registry.all].every(({ isBusy, isDue, isFailing }) => isDue && !isBusy && !isFailing))
      this.#finished.next();
  }

  /** Reads it when the path's earlier incarnations were read, or have said why they cannot be. */
  #readInSequence(incarnation: Incarnation): void {
    const all = this.#registry.ofPath(incarnation.path);
    const earlier = all.slice(0, all.indexOf(incarnation)).filter(({ isEnded }) => isEnded);
    const unread = earlier.filter(({ isCaughtUp }) => !isCaughtUp);
    const read = defer(() => {
      // onErrorResumeNext goes on when it is unsubscribed, too.
      if (this.#isStopped) return EMPTY;
      incarnation.isDue = true;
      this.#nudge(incarnation);
      return EMPTY;
    });
    this.#sequences.next(
      unread.length === 0 ? read : onErrorResumeNext(...unread.map(({ caughtUp }) => caughtUp), read),
    );
  }

  // ---- change notification

  #watchFolderOf(path: string): void {
    const folder = folderOf(path);
    if (this.#context.once || this.#watched.has(folder) || this.#watched.size >= MAX_WATCHED_FOLDERS) return;
    this.#watched.add(folder);
    this.#folders.next(folder);
  }

  #watch(folder: string): Observable<unknown> {
    return this.#files.watch(folder).pipe(
      tap((change) => this.#changed(folder, change)),
      // Polling goes on, and the next look tries again to watch.
      catchError(() => EMPTY),
      finalize(() => this.#watched.delete(folder)),
    );
  }

  #changed(folder: string, { name, kind }: FolderChange): void {
    const incarnation = this.#registry.at(folder === '/' ? `/${name}` : `${folder}/${name}`);
    if (incarnation !== undefined) this.#nudge(incarnation);
    if (kind === 'entry') this.#lookSoon();
  }

  // ---- looks

  #look(): Observable<never> {
    return steps<never>(() => this.#lookOnce());
  }

  *#lookOnce(): Routine {
    const isFirst = this.#lookCount === 0;
    if (this.#wantsLook && !isFirst) yield* wait(timer(LOOK_DELAY_MS, this.#scheduler));
    const isAsked = this.#wantsLook;
    this.#wantsLook = false;
    const paths = yield* this.#paths(isFirst || isAsked);
    if (isFirst) this.#restore();
    const due = this.#dueForLook();
    for (const incarnation of due) incarnation.endBeforeLook = incarnation.end;
    const files = yield* this.#looker.statAll([...new Set([...paths, ...due.map(({ location }) => location)])]);
    const at = new Map(files.map((file) => [file.path, file]));
    if (isFirst) yield* this.#verify(due, at);
    const search = new Search(this.#looker, this.#registry);
    const isClear = yield* this.#findAll(due, at, search);
    if (isClear) yield* this.#findUnseen(at, search);
    else this.#lookSoon();
    if (isFirst) this.#resume(due);
    // What looks new may be what was not found.
    for (const path of isClear ? paths : []) {
      const file = at.get(path);
      if (file !== undefined) yield* this.#discover(file, isFirst);
    }
    this.#lookCount++;
    this.#context.behind([...this.#registry.all].reduce((bytes, { unread }) => bytes + unread, 0));
    this.#finishOnce();
  }

  /** What the patterns match. With many files not at every look. */
  *#paths(isNeeded: boolean): Routine<readonly string[]> {
    const isMany = this.#registry.size > QUIET_FILES_A_LOOK;
    if (!isNeeded && isMany && this.#lookCount % LOOKS_A_GLOB !== 0) return [];
    const { paths, exclude } = this.#options;
    const found = yield* this.#looker.glob(paths, exclude);
    const readable = found.filter((path) => !isCompressed(path));
    this.#registry.setMatched(readable);
    this.#reportMissing(readable);
    for (const pattern of paths) this.#watchFolderOf(pattern.replace(/[*?[{(!].*$/s, ''));
    return readable;
  }

  #reportMissing(found: readonly string[]): void {
    if (found.length > 0) return;
    for (const pattern of this.#options.paths) {
      if (this.#missing.has(pattern)) continue;
      this.#missing.add(pattern);
      const message = this.#context.once ? 'no file matches' : 'no file matches yet; waiting for one';
      this.#context.report({ level: 'warn', message: `${pattern}: ${message}` });
    }
  }

  /** Incarnations to look at this time: all, or by turns when there are many. */
  #dueForLook(): Incarnation[] {
    const all = [...this.#registry.all];
    if (all.length <= QUIET_FILES_A_LOOK || this.#lookCount === 0) return all;
    const from = (this.#turn * QUIET_FILES_A_LOOK) % all.length;
    this.#turn++;
    const turn = new Set(all.slice(from, from + QUIET_FILES_A_LOOK));
    return all.filter((incarnation) => turn.has(incarnation) || incarnation.isBusy || incarnation.isRewritten);
  }

  /** The incarnations of the checkpoint. */
  #restore(): void {
    for (const [id, lane] of this.#context.saved) {
      const incarnation = Incarnation.saved(id, lane);
      if (incarnation === undefined) continue;
      incarnation.isEnded = incarnation.location !== incarnation.path;
      incarnation.grownAt = this.#scheduler.now();
      this.#registry.add(incarnation);
    }
  }

  /** While nobody looked, a file may have become another one: its inode alone proves nothing. */
  *#verify(saved: readonly Incarnation[], at: ReadonlyMap<string, Seen>): Routine {
    const verifyOne = (incarnation: Incarnation): Observable<never> =>
      steps<never>(
        function* (this: Tailing): Routine {
          const file = at.get(incarnation.location);
          if (file?.id !== incarnation.fileId || file.size < incarnation.evidence.end) return;
          incarnation.isRewritten = yield* this.#looker.isOther(file.path, incarnation.evidence);
        }.bind(this),
      );
    yield* wait(from(saved).pipe(mergeMap(verifyOne, 16)));
    for (const incarnation of saved) {
      const owner = this.#registry.owner(incarnation.fileId);
      // A later one had the same file: what this one has read of it, perhaps a byte, was cut off before.
      if (owner !== incarnation && owner?.location === incarnation.location && !owner.isRewritten) {
        incarnation.isRewritten = true;
      }
    }
  }

  /** After a restart: what is left of rotated files first. */
  #resume(saved: readonly Incarnation[]): void {
    for (const incarnation of saved) incarnation.isCaughtUp = incarnation.isEnded && incarnation.unread === 0;
    for (const incarnation of saved) {
      if (this.#registry.has(incarnation)) this.#readInSequence(incarnation);
    }
  }

  /** Finds out where incarnations are. False when files were renamed meanwhile, so that it has to be done again. */
  *#findAll(due: readonly Incarnation[], at: ReadonlyMap<string, Seen>, search: Search): Routine<boolean> {
    const removed: Incarnation[] = [];
    for (const incarnation of due) {
      if (!this.#registry.has(incarnation) || incarnation.isGone) continue;
      const where = yield* search.locate(incarnation, at.get(incarnation.location));
      if (where.kind === 'removed') removed.push(incarnation);
      else this.#found(incarnation, where);
    }
    let isClear = true;
    for (const incarnation of removed) {
      if (yield* search.hasMoved(incarnation.path)) isClear = false;
      else this.#removed(incarnation, at.get(incarnation.location));
    }
    return isClear;
  }

  #found(incarnation: Incarnation, { kind, file }: Found): void {
    const hasMoved = incarnation.location !== file.path;
    this.#place(incarnation, kind === 'ended', file);
    // In the last life it may have been found there already, and what came after it not have been saved.
    if (kind === 'ended' && (hasMoved || this.#lookCount === 0)) this.#vacate(incarnation.path, file.mtimeMs);
    if (incarnation.isEnded && incarnation.isCaughtUp) this.#forgetWhenQuiet(incarnation);
  }

  /** An incarnation has left its path; it was written last at that time. */
  #vacate(path: string, mtimeMs: number): void {
    const latest = Math.max(mtimeMs, this.#vacant.get(path)?.mtimeMs ?? 0);
    this.#vacant.set(path, { mtimeMs: latest, since: this.#scheduler.now(), look: this.#lookCount });
  }

  /** Files that had a path and lost it again before anybody saw them there. */
  *#findUnseen(at: ReadonlyMap<string, Seen>, search: Search): Routine {
    for (const [path, { mtimeMs, since, look }] of this.#vacant) {
      // Whatever is known to be at the path was seen there, and so was everything before it.
      const isTaken = this.#registry.ofPath(path).some(({ isEnded }) => !isEnded);
      if (isTaken || this.#scheduler.now() - since >= FORGET_AFTER_MS) {
        this.#vacant.delete(path);
        if (!isTaken) this.#forgetLeft(path);
        continue;
      }
      const next = at.get(path);
      const hasNext = next !== undefined && next.size > 0 && !this.#registry.owns(next.id);
      // It takes a listing of the folder.
      if (look !== this.#lookCount && !hasNext && this.#lookCount % LOOKS_A_LISTING !== 0) continue;
      for (const file of yield* search.between(path, mtimeMs)) this.#readBetween(path, file);
    }
  }

  #place(incarnation: Incarnation, isEnded: boolean, file: Seen): void {
    const isOther = file.id !== incarnation.fileId;
    const hasChanged =
      isOther ||
      incarnation.isRewritten ||
      incarnation.isAstray ||
      file.size !== incarnation.seenSize ||
      file.mtimeMs !== incarnation.seenMtimeMs;
    if (file.size !== incarnation.seenSize) incarnation.grownAt = this.#scheduler.now();
    incarnation.isRewritten = false;
    incarnation.isAstray = false;
    incarnation.seenSize = file.size;
    incarnation.seenMtimeMs = file.mtimeMs;
    this.#registry.move(incarnation, file.path, file.id);
    this.#watchFolderOf(file.path);
    const endsNow = isEnded && !incarnation.isEnded;
    incarnation.isEnded = isEnded;
    // Whoever writes to it may not have noticed yet.
    if (endsNow) incarnation.grownAt = this.#scheduler.now();
    // The open file is the one that was cut; the rest is elsewhere.
    if (isOther) incarnation.signal('close');
    if (hasChanged || endsNow) {
      if (incarnation.unread > 0) incarnation.isCaughtUp = false;
      this.#nudge(incarnation);
    }
  }

  #removed(incarnation: Incarnation, at: Seen | undefined): void {
    const { path, seenMtimeMs } = incarnation;
    if (seenMtimeMs > 0) this.#vacate(path, seenMtimeMs);
    const wasCut = at?.id === incarnation.fileId;
    if (incarnation.isOpen && !wasCut) {
      // Removed, but open: what is in it can still be read.
      incarnation.isGone = true;
      incarnation.isEnded = true;
      this.#registry.disown(incarnation);
      this.#nudge(incarnation);
      return;
    }
    const bytes = incarnation.unread;
    if (bytes > 0) {
      const message = `${incarnation.path}: ${bytes} bytes were ${wasCut ? 'cut off' : 'removed'} before they were read`;
      this.#context.report({ level: 'error', code: 'MILLRACE_E_TAIL_LOST', message, details: { bytes } });
    }
    incarnation.isDirty = false;
    incarnation.signal('close');
    // The path has to stay known until its next incarnation is.
    this.#left.set(path, [...(this.#left.get(path) ?? []), incarnation.id]);
    this.#registry.remove(incarnation);
    this.#passed(incarnation);
  }

  #forgetWhenQuiet(incarnation: Incarnation): void {
    if (this.#isQuiet(incarnation) && !this.#registry.isMatched(incarnation.location)) this.#drop(incarnation);
  }

  #isQuiet({ grownAt }: Incarnation): boolean {
    return this.#scheduler.now() - grownAt >= FORGET_AFTER_MS;
  }

  /** A file that had the path and lost it again before anybody saw it there. */
  #readBetween(path: string, file: Seen): void {
    const incarnation = Incarnation.minted(this.#mint(), path, file.id);
    incarnation.location = file.path;
    incarnation.seenSize = file.size;
    incarnation.seenMtimeMs = file.mtimeMs;
    incarnation.isEnded = true;
    incarnation.grownAt = this.#scheduler.now();
    this.#registry.add(incarnation);
    this.#vacate(path, file.mtimeMs);
    this.#readInSequence(incarnation);
  }

  /** A file that the patterns match. */
  *#discover(found: Seen, isFirstLook: boolean): Routine {
    // Of an empty file there is nothing to read, and it may become a copy of another one.
    if (found.size === 0 || this.#registry.owns(found.id)) return;
    // A known one may have been cut since the look began; what was seen then is no new file.
    const [now] = yield* this.#looker.statAll([found.path]);
    const file = now?.id === found.id ? now : found;
    if (file.size === 0) return;
    // What is there at the first start, or when there is only one look, is read; nobody waits for what becomes of it.
    const isNewSince = !this.#context.once && !(isFirstLook && this.#context.isFirstStart);
    if (isNewSince && (yield* this.#isCopy(file))) return;
    this.#held.delete(file.id);
    const isFromEnd = isFirstLook && this.#context.isFirstStart && this.#options.from === 'end';
    const end = isFromEnd ? yield* this.#looker.evidenceOf(file.path, file.size) : undefined;
    const id = this.#mint();
    const incarnation =
      end === undefined
        ? Incarnation.minted(id, file.path, file.id)
        : new Incarnation(id, file.path, file.path, file.id, end.end, end);
    incarnation.seenSize = file.size;
    incarnation.seenMtimeMs = file.mtimeMs;
    this.#registry.add(incarnation);
    this.#watchFolderOf(file.path);
    this.#readInSequence(incarnation);
  }

  /** Whether a new file is what copytruncate makes of one that is being read: its lines come out of the original. */
  *#isCopy(file: Seen): Routine<boolean> {
    for (const incarnation of this.#registry.all) {
      if (incarnation.isEnded || folderOf(incarnation.location) !== folderOf(file.path)) continue;
      if (!isRelated(file.path, incarnation.path)) continue;
      const end = Math.min(file.size, incarnation.seenSize);
      const ofCopy = yield* this.#looker.evidenceOf(file.path, end);
      const ofOriginal = yield* this.#looker.evidenceOf(incarnation.location, end);
      const isSame = ofCopy?.head === ofOriginal?.head && ofCopy?.tail === ofOriginal?.tail;
      if (isSame && end > 0) return this.#isHeld(file);
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

  /** A copy of an intact file: the cut is still to come, or it is a backup that happens to match the patterns. */
  #isHeld({ id, size }: Seen): boolean {
    const now = this.#scheduler.now();
    const held = this.#held.get(id);
    if (held?.size !== size) {
      this.#held.set(id, { since: now, size });
      return true;
    }
    return now - held.since < COPY_HOLD_MS;
  }
}
