import { asyncScheduler, bufferTime, defer, ignoreElements, map, tap } from 'rxjs';
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { atLeast } from './at-least.js';

/** How much came in one window. */
export interface Rate {
  readonly count: number;
  /** The length of the window; the last one before completion may be shorter. */
  readonly elapsedMs: number;
  readonly perSecond: number;
}

/**
 * Counts what comes in windows of a fixed length: a tick of `bufferTime` for each, also when nothing came. For gauges
 * and live views, where a lost tick does not matter; where values are at stake, use `batch`.
 *
 * - on error: passed on; the count of the window that was open is lost, as `bufferTime` loses its buffer.
 * - on complete: the open window comes out, then it completes.
 * - on unsubscribe: the timer is cancelled; the count of the open window is lost.
 * - never emits the values themselves. Windows follow the scheduler's timer: a blocked process makes one longer window,
 *   and `elapsedMs` says so.
 * - keeps the order: one rate for each window, after it has ended.
 * - memory: one number, however much comes.
 *
 * ```marbles
 * source  a-b-----c-|
 * > rateWindow({ everyMs: 5 }), map(({ count }) => count)
 * output  -----2----(1|)
 * ```
 *
 * @example
 * ```ts
 * timer(50, 100)
 *   .pipe(take(24), rateWindow({ everyMs: 1000 }))
 *   .subscribe((rate) => console.log(rate));
 * // → { count: 10, elapsedMs: 1000, perSecond: 10 }
 * // → { count: 10, elapsedMs: 1000, perSecond: 10 }
 * // → { count: 4, elapsedMs: 350, perSecond: 11.428571428571429 }
 * ```
 */
export function rateWindow(
  { everyMs }: { readonly everyMs: number },
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<unknown, Rate> {
  atLeast(1, { everyMs });
  return (source) =>
    defer(() => {
      let count = 0;
      let openedAt = scheduler.now();
      return source.pipe(
        tap(() => count++),
        // bufferTime has the windows, not the values: its buffer would hold a whole window of them.
        ignoreElements(),
        bufferTime(everyMs, scheduler),
        map((): Rate => {
          const now = scheduler.now();
          const elapsedMs = now - openedAt;
          const rate = { count, elapsedMs, perSecond: elapsedMs > 0 ? (count * 1000) / elapsedMs : 0 };
          count = 0;
          openedAt = now;
          return rate;
        }),
      );
    });
}
