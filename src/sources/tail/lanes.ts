import {
  catchError,
  concat,
  defer,
  EMPTY,
  finalize,
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
import type { Observable } from 'rxjs';
import type { Lane } from '../../model/batch.js';
import { MillraceError, messageOf } from '../../model/errors.js';
import { backoffMs } from '../../operators/backoff.js';
import type { BackoffPolicy } from '../../operators/backoff.js';
import { BufferPool } from './buffer-pool.js';
import type { Incarnation } from './incarnation.js';
import { readLane } from './lane-reader.js';
import type { ReaderEnvironment } from './reader-environment.js';
import type { Setting } from './setting.js';

/** How a file is tried again that cannot be read. */
const RETRY: BackoffPolicy = { initialMs: 100, maxMs: 5000 };

/** What lanes tell. */
export interface LaneNews {
  /** Something about a file is not as expected. */
  readonly lookSoon: () => void;
  readonly ended: () => void;
}

/** Whose turn it is to be read: so many at a time, the incarnations of a path one after the other. */
export class Lanes {
  readonly #setting: Setting;
  readonly #news: LaneNews;
  readonly #environment: ReaderEnvironment;
  readonly #ready = new Subject<Incarnation>();
  readonly #failures = new Subject<Incarnation>();
  readonly #flushes = new Subject<Incarnation>();
  readonly #sequences = new Subject<Observable<never>>();
  /** By path: incarnations that were removed, and are to be forgotten when the next one is in the checkpoint. */
  readonly #left = new Map<string, readonly string[]>();
  /** With `oldestFirst`, while the first look lasts: whose turn the next one waits for. */
  #before: Observable<never> | undefined;
  #waiting = 0;
  /** Waiting or open. */
  #busy = 0;
  #isStopped = false;

  constructor(setting: Setting, news: LaneNews) {
    this.#setting = setting;
    this.#news = news;
    this.#environment = {
      ...setting,
      buffers: new BufferPool(),
      idle: new Set(),
      lookSoon: news.lookSoon,
      othersWait: () => this.#waiting > 0,
    };
  }

  /** Until `over`: no new lanes from then on; those that are open end by themselves and are waited for. */
  until(over: Observable<unknown>): Observable<Lane> {
    const stopped = over.pipe(tap(() => (this.#isStopped = true)));
    return merge(
      this.#ready.pipe(
        // eslint-disable-next-line rxjs-x/no-unsafe-takeuntil
        takeUntil(stopped),
        mergeMap((incarnation) => this.#lane(incarnation), this.#setting.options.maxOpenFiles),
      ),
      this.#sequences.pipe(
        mergeMap((sequence) => sequence, Infinity),
        takeUntil(stopped),
      ),
      this.#failures.pipe(
        mergeMap((incarnation) => this.#tryAgain(incarnation), Infinity),
        takeUntil(stopped),
      ),
      this.#flushes.pipe(
        mergeMap((incarnation) => this.#flushLater(incarnation), Infinity),
        takeUntil(stopped),
      ),
    );
  }

  /** Everything that is known was read to its end. */
  get areDone(): boolean {
    // Asked whenever a lane ends: all are gone through only when it was the last.
    if (this.#busy > 0) return false;
    const { registry } = this.#setting;
    return [...registry.all].every((each) => (each.isDue && !each.isFailing) || registry.isAside(each));
  }

  /** There may be more to read. */
  nudge(incarnation: Incarnation): void {
    incarnation.isDirty = true;
    if (!incarnation.isDue || incarnation.isFailing) return;
    if (incarnation.isBusy) incarnation.signal('look');
    else this.#enqueue(incarnation);
  }

  /** While `isOrdered`: each one begins when the one before it was read to its end. */
  inOrder(isOrdered: boolean): void {
    this.#before = isOrdered ? EMPTY : undefined;
  }

  /** Reads it when the path's earlier incarnations were read, or have said why they cannot be. */
  readInSequence(incarnation: Incarnation): void {
    const all = this.#setting.registry.ofPath(incarnation.path);
    const earlier = all.slice(0, all.indexOf(incarnation)).filter(({ isEnded }) => isEnded);
    const unread = earlier.filter(({ isCaughtUp }) => !isCaughtUp).map(({ caughtUp }) => caughtUp);
    const before = this.#before === undefined ? unread : [...unread, this.#before];
    if (this.#before !== undefined) this.#before = incarnation.reachedEnd;
    const read = defer(() => {
      // onErrorResumeNext goes on when it is unsubscribed, too.
      if (this.#isStopped) return EMPTY;
      incarnation.isDue = true;
      this.nudge(incarnation);
      return EMPTY;
    });
    this.#sequences.next(before.length === 0 ? read : onErrorResumeNext(...before, read));
  }

  /** It was read to its end, and will not grow any more. */
  drop(incarnation: Incarnation): void {
    this.#remove(incarnation);
    this.#setting.context.forget(incarnation.id);
  }

  /** Its file is gone. The path stays in the checkpoint until the next incarnation is. */
  leave(incarnation: Incarnation): void {
    const { path, id } = incarnation;
    incarnation.isDirty = false;
    incarnation.signal('close');
    this.#left.set(path, [...(this.#left.get(path) ?? []), id]);
    this.#remove(incarnation);
  }

  forgetLeft(path: string): void {
    for (const id of this.#left.get(path) ?? []) this.#setting.context.forget(id);
    this.#left.delete(path);
  }

  /** Those that come after it need not wait for it any more. */
  #remove(incarnation: Incarnation): void {
    this.#setting.registry.remove(incarnation);
    incarnation.isCaughtUp = true;
    incarnation.letOthersGoOn();
  }

  #enqueue(incarnation: Incarnation): void {
    incarnation.isBusy = true;
    this.#busy++;
    this.#waiting++;
    this.#ready.next(incarnation);
    // All turns are taken: whoever has waited longest for its file to grow makes room.
    const [idle] = this.#waiting > 0 ? this.#environment.idle : [];
    idle?.signal('close');
  }

  /** Emits the lane of an incarnation, and completes when it has ended. */
  #lane(incarnation: Incarnation): Observable<Lane> {
    return defer(() => {
      this.#waiting--;
      // It was dropped while it waited: nobody would forget it once more.
      if (!this.#setting.registry.has(incarnation)) {
        this.#busy--;
        return EMPTY;
      }
      const ended = new Subject<never>();
      const { id, path, position, state, isArchive, seenSize } = incarnation;
      // How far an earlier run came is not known: not beyond what is there now.
      incarnation.unreadFrom ??= isArchive ? Infinity : seenSize;
      const fields = { ...this.#setting.options.fields, 'log.file.path': path };
      const lane: Lane = {
        id,
        position,
        state,
        fields,
        unreadFrom: incarnation.unreadFrom,
        revoked: NEVER,
        batches: defer(() => {
          // By now it is in the checkpoint.
          this.forgetLeft(path);
          return readLane(incarnation, fields, this.#environment);
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
    const { isCaughtUp, isGone, isDirty, isDue, isFailing } = incarnation;
    incarnation.isBusy = false;
    this.#busy--;
    if (isCaughtUp) incarnation.letOthersGoOn();
    // Nobody can open it again.
    if (isGone) this.leave(incarnation);
    else if (isDirty && isDue && !isFailing && !this.#isStopped) this.#enqueue(incarnation);
    else if (incarnation.flushMs !== undefined) this.#flushes.next(incarnation);
    this.#news.ended();
  }

  /** It cannot be read now: others get its turn, and it is tried again later. */
  #failed(incarnation: Incarnation, error: unknown): void {
    const { context, scheduler } = this.#setting;
    incarnation.isDirty = false;
    incarnation.failedTries++;
    if (incarnation.failedTries === 1) incarnation.failingSince = scheduler.now();
    incarnation.letOthersGoOn(error instanceof Error ? error : new Error(messageOf(error)));
    const isLate = context.once && scheduler.now() - incarnation.failingSince > context.startDeadlineMs;
    if (isLate) {
      context.report({ level: 'error', code: 'MILLRACE_E_FLOW_START_DEADLINE', message: messageOf(error) });
      return;
    }
    incarnation.isFailing = true;
    const tries = incarnation.failedTries;
    context.report({
      // Said at once, then less and less often: at the 2nd, 4th, 8th … failure in a row.
      level: (tries & (tries - 1)) === 0 ? 'warn' : 'debug',
      message: `${messageOf(error)}; trying again`,
      ...(error instanceof MillraceError ? { code: error.code } : {}),
    });
    this.#failures.next(incarnation);
  }

  /** It made room while it waited for more lines of an event: then it is opened once more. */
  #flushLater(incarnation: Incarnation): Observable<never> {
    return timer(incarnation.flushMs ?? 0, this.#setting.scheduler).pipe(
      tap(() => {
        if (this.#setting.registry.has(incarnation)) this.nudge(incarnation);
      }),
      ignoreElements(),
    );
  }

  #tryAgain(incarnation: Incarnation): Observable<never> {
    return timer(backoffMs(RETRY, incarnation.failedTries), this.#setting.scheduler).pipe(
      tap(() => {
        incarnation.isFailing = false;
        if (this.#setting.registry.has(incarnation)) this.nudge(incarnation);
      }),
      ignoreElements(),
    );
  }
}
