import { asyncScheduler } from 'rxjs';
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { CountsMachine } from './counts.js';
import type { CountResult, CountsState } from './counts.js';
import type { KeptState } from './kept-state.js';
import { runMachine } from './machine.js';
import type { Key } from './panes.js';
import type { Reducer } from './reducers.js';

/** How many elements, and what comes out of them. */
export interface CountWindowConfig<T, A, R, K extends Key> {
  /** Elements in a window. */
  readonly count: number;
  readonly reducer: Reducer<T, A, R>;
  /** One window at a time for each key. Default: everything has one key, ''. */
  readonly keyOf?: (element: T) => K;
  /** Keys remembered. For another one, the key seen longest ago is forgotten: its window comes out short. Default 10 000. */
  readonly maxKeys?: number;
  /** A key that is not seen for this long, by the scheduler, is forgotten: its window comes out short. Default: never. */
  readonly ttlMs?: number;
  readonly state?: KeptState<CountsState<A, K>> | undefined;
}

/**
 * Reduces every `count` elements of a key to one value. Needs no event time.
 *
 * - on error: passed on at once; open windows do not come out. They are in `state`.
 * - on complete: what is open comes out short, the key seen longest ago first, then it completes.
 * - on unsubscribe: its timer is cancelled, nothing comes out.
 * - never emits an empty window; loses no element: a key that is forgotten sends what it has. Keeps each key's order.
 * - memory: `maxKeys` accumulators. A throw in `keyOf` or `reducer` is an error notification.
 *
 * ```marbles
 * source  -1-2-3-4-5-|
 * > countWindow({ count: 2, reducer: sumOf((n) => n) }),
 * >   map(({ value }) => value)
 * output  ---3---7---(5|)
 * ```
 *
 * @example
 * ```ts
 * from([
 *   { host: 'a', tookMs: 2 },
 *   { host: 'b', tookMs: 5 },
 *   { host: 'a', tookMs: 4 },
 * ])
 *   .pipe(countWindow({ count: 2, keyOf: (answer) => answer.host, reducer: meanOf((answer) => answer.tookMs) }))
 *   .subscribe(({ key, count, value }) => console.log(key, count, value));
 * // → a 2 3
 * // → b 1 5
 * ```
 */
export function countWindow<T, A, R, K extends Key = string>(
  config: CountWindowConfig<T, A, R, K>,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, CountResult<K, R>> {
  const create = (): CountsMachine<T, A, R, K> => {
    const machine = new CountsMachine(config, scheduler.now(), config.state?.saved);
    config.state?.connect(() => machine.capture());
    return machine;
  };
  return runMachine({ create }, scheduler);
}
