import { asyncScheduler } from 'rxjs';
import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import type { KeptState } from './kept-state.js';
import { runMachine } from './machine.js';
import { WatermarkMachine } from './watermark.js';
import type { LaneSignal, WatermarkConfig, WatermarkState } from './watermark.js';
import type { Watermarked } from './watermarked.js';

/** How time is told, and what is known of the lanes beside their elements. */
export interface WithWatermarkConfig<T> extends WatermarkConfig<T> {
  /** What the reader of the lanes knows. Subscribed before the source; its completion means nothing. */
  readonly signals?: Observable<LaneSignal>;
  readonly state?: KeptState<WatermarkState> | undefined;
}

/**
 * Puts elements into event time: each goes on with its time and with the watermark, the time up to which nothing more
 * is expected. A lane's watermark is its newest element less `maxDisorderMs`; the watermark is the least of the lanes',
 * without those that are idle. Idle is decided by the scheduler, and a lane that is held back by demand is not idle.
 *
 * - on error, of the source or of the signals: passed on. On complete: completes; windows then close by themselves.
 * - on unsubscribe: its timer and the signals are cancelled.
 * - keeps the order; never emits a watermark that goes back. An idle lane that comes back does not take it back: what
 *   it brings for panes that are gone is put aside by the windows.
 * - when every lane is idle or ended, the one furthest ahead counts. With `followClockAfterMs` the watermark then
 *   follows the clock, with a tick of that length for as long as it is quiet.
 * - memory: one entry a lane, `maxLanes` at most. A throw in `timeOf`, `laneOf` or `onAside` is an error notification.
 * - source: Akidau et al., The Dataflow Model, VLDB 2015; idle inputs as in Apache Flink.
 *
 * ```marbles
 * source  -4-6-5-9-|
 * > withWatermark({ timeOf: (n) => n, maxDisorderMs: 2 }),
 * >   map(({ value, watermarkMs }) => `${value} ${watermarkMs}`)
 * output  -w-x-y-z-|
 * where   w: '4 2', x: '6 4', y: '5 4', z: '9 7'
 * ```
 *
 * @example
 * ```ts
 * from([{ timeMs: 1000 }, { timeMs: 4000 }, { timeMs: 3000 }])
 *   .pipe(withWatermark({ timeOf: (event) => event.timeMs, maxDisorderMs: 2000 }))
 *   .subscribe(({ watermarkMs }) => console.log(watermarkMs));
 * // → -1000
 * // → 2000
 * // → 2000
 * ```
 */
export function withWatermark<T>(
  config: WithWatermarkConfig<T>,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, Watermarked<T>> {
  const create = (): WatermarkMachine<T> => {
    const machine = new WatermarkMachine(config, scheduler.now(), config.state?.saved);
    config.state?.connect(() => machine.capture());
    return machine;
  };
  return runMachine({ create, signals: config.signals }, scheduler);
}
