import { asyncScheduler, defer, filter, Observable } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { atLeast } from './at-least.js';
import { BoundedQueue } from './bounded-queue.js';
import type { QueueLimits } from './bounded-queue.js';
import { listen } from './listen.js';

/** How many values may pass, and what happens to one more. */
export interface SlidingWindowLimitConfig<T> extends QueueLimits<T> {
  /** So many values in any span of `perMs`. */
  readonly max: number;
  readonly perMs: number;
  /**
   * `delay`: waits until it may pass, in a queue of `maxQueue`. `drop`: is dropped, and `onDrop` hears of it. `error`:
   * ends the stream with a MILLRACE_E_OPERATOR_RATE.
   */
  readonly mode: 'delay' | 'drop' | 'error';
}

/** The times of the last `max` values that passed. */
class Passed {
  readonly #times: number[] = [];
  readonly #config: { readonly max: number; readonly perMs: number };
  #oldest = 0;

  constructor(config: { readonly max: number; readonly perMs: number }) {
    this.#config = config;
  }

  /** How long until one more may pass: 0 when it may now. */
  waitMs(now: number): number {
    const { max, perMs } = this.#config;
    if (this.#times.length < max) return 0;
    return Math.max(0, (this.#times[this.#oldest] ?? 0) + perMs - now);
  }

  add(now: number): void {
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#config.max;
  }
}

/**
 * Lets no more than `max` values through in any span of `perMs`, wherever it begins. (A fixed window lets twice as many
 * through around its edge.) One more passes `perMs` after the oldest of the last `max`.
 *
 * - on error and on complete: passed on in its place: with `delay`, after the values that wait.
 * - on unsubscribe: the timer is cancelled; what waits is dropped.
 * - never emits more than `max` values in any span of `perMs`.
 * - keeps the order. With `delay` every value comes out, unless the queue is full: see `overflow`.
 * - memory: `max` times and, with `delay`, `maxQueue` values. A throw in `onDrop` is an error notification.
 *
 * ```marbles
 * source  abc---d-|
 * > slidingWindowLimit({ max: 2, perMs: 4, mode: 'delay' })
 * output  ab--c-d-|
 * ```
 *
 * ```marbles
 * source  abc---d-|
 * > slidingWindowLimit({ max: 2, perMs: 4, mode: 'drop' })
 * output  ab----d-|
 * ```
 *
 * @example
 * ```ts
 * const startedAt = asyncScheduler.now();
 * range(1, 5)
 *   .pipe(slidingWindowLimit({ max: 2, perMs: 1000, mode: 'delay' }))
 *   .subscribe((n) => console.log(n, asyncScheduler.now() - startedAt));
 * // → 1 0
 * // → 2 0
 * // → 3 1000
 * // → 4 1000
 * // → 5 2000
 * ```
 */
export function slidingWindowLimit<T>(
  config: SlidingWindowLimitConfig<T>,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  const { max, perMs, mode } = config;
  atLeast(1, { max });
  atLeast(0, { perMs });
  if (mode === 'delay') return delaying(config, scheduler);
  return (source) =>
    defer(() => {
      const passed = new Passed(config);
      return source.pipe(
        filter((value) => {
          const now = scheduler.now();
          if (passed.waitMs(now) === 0) {
            passed.add(now);
            return true;
          }
          if (mode === 'error') throw new MillraceError('MILLRACE_E_OPERATOR_RATE', `${max} in ${perMs} ms`);
          config.onDrop?.(value);
          return false;
        }),
      );
    });
}

function delaying<T>(config: SlidingWindowLimitConfig<T>, scheduler: SchedulerLike): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      const passed = new Passed(config);
      const waiting = new BoundedQueue<T>(config);
      let end: (() => void) | undefined;
      let armed: Subscription | undefined;

      const pass = (value: T, now: number): void => {
        passed.add(now);
        subscriber.next(value);
      };
      const drain = (): void => {
        armed = undefined;
        for (const now = scheduler.now(); waiting.size > 0 && !subscriber.closed && passed.waitMs(now) === 0;) {
          pass(waiting.shift(), now);
        }
        if (waiting.size > 0) arm();
        else end?.();
      };
      const arm = (): void => {
        if (armed !== undefined || subscriber.closed) return;
        armed = scheduler.schedule(drain, passed.waitMs(scheduler.now()));
      };
      const endWith = (notify: () => void): void => {
        end = notify;
        if (waiting.size === 0) notify();
      };

      subscriber.add(() => {
        armed?.unsubscribe();
        waiting.clear();
      });
      listen(source, subscriber, {
        next: (value) => {
          const now = scheduler.now();
          if (waiting.size === 0 && passed.waitMs(now) === 0) pass(value, now);
          else {
            waiting.push(value);
            arm();
          }
        },
        error: (error) => endWith(() => subscriber.error(error)),
        complete: () => endWith(() => subscriber.complete()),
      });
    });
}
