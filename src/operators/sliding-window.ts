import type { OperatorFunction } from 'rxjs';
import { runMachine } from './machine.js';
import { PanesMachine } from './panes.js';
import type { Key, WindowResult } from './panes.js';
import type { TumblingWindowConfig } from './tumbling-window.js';
import type { Watermarked } from './watermarked.js';

/** How time is covered, and what comes out of a piece of it. */
export interface SlidingWindowConfig<T, A, R, K extends Key> extends TumblingWindowConfig<T, A, R, K> {
  /** From the start of one window to the start of the next; at most `sizeMs`. */
  readonly slideMs: number;
}

/**
 * Covers event time with windows that overlap: one of `sizeMs` ends every `slideMs`. An element is reduced once, into
 * its pane; a window is the merge of its panes.
 *
 * - on error: passed on at once; open windows do not come out, because half a result is none. They are in `state`.
 * - on complete: every open window comes out, then it completes. On unsubscribe: nothing comes out; it has no timer.
 * - never emits an empty window. Windows come out in order of their end; within one by lane, then as keys came.
 * - late is an element whose pane (the greatest common divisor of size and slide) had ended, and `allowedLatenessMs`
 *   too, by the watermark of its own lane. Within `allowedLatenessMs` it makes a new revision of every window that came
 *   out with its pane, at once.
 * - memory: `maxPanes` × `maxKeys` accumulators a lane at most. `sizeMs` must have no more than `maxPanes` panes. A
 *   throw in `keyOf`, `reducer` or `onAside` is an error notification.
 * - source: Li et al., No Pane, No Gain, SIGMOD Record 34(1), 2005.
 *
 * ```marbles
 * source  -1-2-4-7-|
 * > withWatermark({ timeOf: (n) => n }),
 * >   slidingWindow({ sizeMs: 4, slideMs: 2, reducer: countOf() }),
 * >   map(({ startMs, endMs, value }) => `${startMs}-${endMs} ${value}`)
 * output  ---x-y-z-(vw|)
 * where   x: '-2-2 1', y: '0-4 2', z: '2-6 2', v: '4-8 2', w: '6-10 1'
 * ```
 *
 * @example
 * ```ts
 * from([
 *   { timeMs: 50_000, tookMs: 4 },
 *   { timeMs: 70_000, tookMs: 8 },
 * ])
 *   .pipe(
 *     withWatermark({ timeOf: (request) => request.timeMs }),
 *     slidingWindow({ sizeMs: 120_000, slideMs: 60_000, reducer: meanOf((request) => request.tookMs) }),
 *   )
 *   .subscribe(({ startMs, endMs, value }) => console.log(startMs, endMs, value));
 * // → -60000 60000 4
 * // → 0 120000 6
 * // → 60000 180000 8
 * ```
 */
export function slidingWindow<T, A, R, K extends Key = string>(
  config: SlidingWindowConfig<T, A, R, K>,
): OperatorFunction<Watermarked<T>, WindowResult<K, R>> {
  const create = (): PanesMachine<T, A, R, K> => {
    const machine = new PanesMachine(config, config.state?.saved);
    config.state?.connect(() => machine.capture());
    return machine;
  };
  return runMachine({ create });
}
