import type { OperatorFunction } from 'rxjs';
import type { KeptState } from './kept-state.js';
import { runMachine } from './machine.js';
import { PanesMachine } from './panes.js';
import type { Key, PanesState, WindowResult } from './panes.js';
import type { Reducer } from './reducers.js';
import type { Aside, Watermarked } from './watermarked.js';

/** How time is cut, and what comes out of a piece of it. */
export interface TumblingWindowConfig<T, A, R, K extends Key> {
  /** Length of a window. Windows begin at multiples of it since 1970, moved by `offsetMs`. */
  readonly sizeMs: number;
  readonly reducer: Reducer<T, A, R>;
  /** One result for each key. Default: everything has one key, ''. */
  readonly keyOf?: (element: T) => K;
  /** Moves the windows' edges, for days that do not begin at UTC midnight. Default 0. */
  readonly offsetMs?: number;
  /** A window stays changeable this long after it came out. Default 0. */
  readonly allowedLatenessMs?: number;
  /** In a pane of a lane. Elements of further keys are put aside as `full`. Default 100 000. */
  readonly maxKeys?: number;
  /** Open at one time. Elements that would need another are put aside as `full`. Default 1000. */
  readonly maxPanes?: number;
  /** The side output: every element that is in no result, and why. */
  readonly onAside?: (aside: Aside<T>) => void;
  readonly state?: KeptState<PanesState<A, K>> | undefined;
}

/**
 * Cuts event time into windows that follow each other, and reduces each window of each key to one value when the
 * watermark has passed its end.
 *
 * - on error: passed on at once; open windows do not come out, because half a result is none. They are in `state`.
 * - on complete: every open window comes out, then it completes. On unsubscribe: nothing comes out; it has no timer.
 * - never emits an empty window. Windows come out in order of time; within one by lane, then as keys came in their lane.
 * - late is an element whose window had ended, and `allowedLatenessMs` too, by the watermark of its own lane: so what a
 *   window holds does not depend on how lanes interleave. Within `allowedLatenessMs` it makes a new revision at once.
 * - memory: `maxPanes` × `maxKeys` accumulators a lane at most; a window lives until the watermark has passed its end by
 *   `allowedLatenessMs`. A throw in `keyOf`, `reducer` or `onAside` is an error notification.
 * - source: Akidau et al., The Dataflow Model, VLDB 2015.
 *
 * ```marbles
 * source  -1-3-7-8-|
 * > withWatermark({ timeOf: (n) => n }),
 * >   tumblingWindow({ sizeMs: 5, reducer: countOf() }),
 * >   map(({ startMs, endMs, value }) => `${startMs}-${endMs} ${value}`)
 * output  -----x---(y|)
 * where   x: '0-5 2', y: '5-10 2'
 * ```
 *
 * @example
 * ```ts
 * from([
 *   { timeMs: 1000, level: 'WARN' },
 *   { timeMs: 59_000, level: 'WARN' },
 *   { timeMs: 61_000, level: 'INFO' },
 * ])
 *   .pipe(
 *     withWatermark({ timeOf: (event) => event.timeMs }),
 *     tumblingWindow({ sizeMs: 60_000, keyOf: (event) => event.level, reducer: countOf() }),
 *   )
 *   .subscribe(({ key, startMs, value }) => console.log(key, startMs, value));
 * // → WARN 0 2
 * // → INFO 60000 1
 * ```
 */
export function tumblingWindow<T, A, R, K extends Key = string>(
  config: TumblingWindowConfig<T, A, R, K>,
): OperatorFunction<Watermarked<T>, WindowResult<K, R>> {
  const create = (): PanesMachine<T, A, R, K> => {
    const machine = new PanesMachine({ ...config, slideMs: config.sizeMs }, config.state?.saved);
    config.state?.connect(() => machine.capture());
    return machine;
  };
  return runMachine({ create });
}
