import { asyncScheduler, Observable } from 'rxjs';
import type { MonoTypeOperatorFunction, ObservableInput, SchedulerLike, Subscription } from 'rxjs';
import { atLeast } from './at-least.js';
import { BoundedQueue } from './bounded-queue.js';
import { call } from './call.js';
import { deadline } from './deadline.js';
import { listen } from './listen.js';

/** Why a mirrored value did not arrive. */
export type Lost = { readonly why: 'noRoom' | 'ended' } | { readonly why: 'failed'; readonly error: unknown };

/** Which values are mirrored, and where to. */
export interface MirrorConfig<T> {
  /** Sends one value to the second sink; the next one is sent when it has completed. */
  readonly to: (value: T) => ObservableInput<unknown>;
  /** The share of values that is mirrored, 0 … 1, spread evenly. Default 0.1. */
  readonly ratio?: number;
  /** So many values may wait for the second sink; further ones are dropped. Default 100. */
  readonly maxQueue?: number;
  /** A value that is not sent after so long is given up, and so is what waits so long after the end. Default 10 000. */
  readonly maxMs?: number;
  /** Hears of every value that did not arrive. */
  readonly onLost?: (value: T, lost: Lost) => void;
}

/** Sends what it is given, one after the other, each in a task of its own, and lets nothing out. */
class Mirroring<T> {
  readonly #config: MirrorConfig<T>;
  readonly #maxMs: number;
  readonly #scheduler: SchedulerLike;
  readonly #waiting: BoundedQueue<T>;
  #sending: { readonly value: T } | undefined;
  #work: Subscription | undefined;
  #isOver = false;
  #limit: Subscription | undefined;

  constructor(config: MirrorConfig<T>, scheduler: SchedulerLike) {
    const { maxQueue = 100, maxMs = 10_000 } = config;
    this.#config = config;
    this.#maxMs = maxMs;
    this.#scheduler = scheduler;
    const onDrop = (value: T): void => this.#lose(value, { why: 'noRoom' });
    this.#waiting = new BoundedQueue<T>({ maxQueue, overflow: 'dropNewest', onDrop });
  }

  add(value: T): void {
    this.#waiting.push(value);
    this.#next();
  }

  /** No more will come: what waits may still be sent, for a while. */
  finish(): void {
    if (this.#isIdle()) return;
    this.#limit = this.#scheduler.schedule(() => this.stop(), this.#maxMs);
  }

  stop(): void {
    this.#isOver = true;
    this.#work?.unsubscribe();
    this.#limit?.unsubscribe();
    if (this.#sending !== undefined) this.#lose(this.#sending.value, { why: 'ended' });
    this.#sending = undefined;
    while (this.#waiting.size > 0) this.#lose(this.#waiting.shift(), { why: 'ended' });
  }

  #isIdle(): boolean {
    return this.#sending === undefined && this.#waiting.size === 0;
  }

  // In a task of its own, so that nothing of it, not even a slow call, happens inside the main path's `next`.
  #next(): void {
    if (this.#isOver || this.#sending !== undefined || this.#waiting.size === 0) return;
    const value = this.#waiting.shift();
    this.#sending = { value };
    this.#work = this.#scheduler.schedule(() => this.#send(value));
  }

  #send(value: T): void {
    const done = (): void => {
      this.#sending = undefined;
      this.#next();
      if (this.#isIdle()) this.#limit?.unsubscribe();
    };
    const late = (): unknown => new Error(`not sent within ${this.#maxMs} ms`);
    this.#work = call(this.#config.to, value, 0)
      .pipe(deadline(this.#maxMs, late, this.#scheduler))
      .subscribe({
        error: (error: unknown) => {
          this.#lose(value, { why: 'failed', error });
          done();
        },
        complete: done,
      });
    if (this.#isOver) this.#work.unsubscribe();
  }

  #lose(value: T, lost: Lost): void {
    try {
      this.#config.onLost?.(value, lost);
    } catch {
      // Whoever counts what is lost must not be able to stop the main path either.
    }
  }
}

/**
 * Passes every value on, and sends a share of them to a second sink as well, which can never slow, fail or change the
 * main path: traffic mirroring, for trying a new sink on real values.
 *
 * - on error, on complete: passed on at once; what waits may still be sent for `maxMs`. An error of `to`, a throw in it
 *   or in `onLost`, and one that never ends are kept away from the main path.
 * - on unsubscribe: what waits, and the one being sent, is given up.
 * - the main path hears of a value first; sending happens later, in a task of its own, one at a time. A `to` that blocks
 *   the thread for long delays everything in the process, and values are not copied: whoever changes them must copy.
 * - loses values for the second sink, never silently: `onLost` says which and why.
 * - keeps the order. Memory: `maxQueue` values.
 *
 * ```marbles
 * source  abcdef|
 * slow    ---|
 * > mirror({ ratio: 0.5, maxQueue: 1, to: (value) => { sent.next(value); return slow; }, onLost: (value) => lost.next(value) })
 * output  abcdef|
 * sent    -b--d--f
 * lost    -
 * ```
 *
 * @example
 * ```ts
 * const sent: number[] = [];
 * const toTheNewSink = (n: number) => defer(() => of(sent.push(n)));
 * interval(1)
 *   .pipe(take(30), mirror({ to: toTheNewSink }), count())
 *   .subscribe((n) => timer(1).subscribe(() => console.log(n, sent)));
 * // → 30 [ 9, 19, 29 ]
 * ```
 */
export function mirror<T>(
  config: MirrorConfig<T>,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  const { ratio = 0.1, maxQueue = 100, maxMs = 10_000 } = config;
  atLeast(0, { ratio, maxQueue, maxMs });
  return (source) =>
    new Observable((subscriber) => {
      const mirroring = new Mirroring(config, scheduler);
      let seen = 0;
      let chosen = 0;
      let hasEnded = false;
      subscriber.add(() => {
        if (!hasEnded) mirroring.stop();
      });
      const end = (notify: () => void): void => {
        hasEnded = true;
        mirroring.finish();
        notify();
      };
      listen(source, subscriber, {
        next: (value) => {
          // Ten tenths are not quite one.
          const isChosen = ++seen * ratio + 1e-9 >= chosen + 1;
          if (isChosen) chosen++;
          subscriber.next(value);
          if (isChosen && !subscriber.closed) mirroring.add(value);
        },
        error: (error) => end(() => subscriber.error(error)),
        complete: () => end(() => subscriber.complete()),
      });
    });
}
