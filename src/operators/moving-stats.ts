import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import type { KeptState } from './kept-state.js';
import { runMachine } from './machine.js';
import type { Machine } from './machine.js';
import { MovingWindow } from './moving-window.js';
import type { MovingState } from './moving-window.js';
import { onlyKey } from './panes.js';
import type { Key } from './panes.js';
import { Recent } from './recent.js';
import type { Stats } from './reducers.js';

/** Which numbers, and how many of them. */
export interface MovingStatsConfig<T, K extends Key> {
  readonly valueOf: (element: T) => number;
  /** One window for each key. Default: everything has one key, ''. */
  readonly keyOf?: (element: T) => K;
  /** The window has the last so many numbers. Default 10 000. */
  readonly maxCount?: number;
  /** The window has no number this old or older, counted from the element's time. Needs `timeOf`. Default: any age. */
  readonly maxAgeMs?: number;
  /** In ms. Elements should come in order of time: one that comes late leaves with those it came with. */
  readonly timeOf?: (element: T) => number;
  /** Keys remembered; for another one, the key seen longest ago is forgotten. Default 10 000. */
  readonly maxKeys?: number;
  readonly state?: KeptState<MovingStatsState<K>> | undefined;
}

/** The windows as they can be saved, the key seen last at the end. */
export interface MovingStatsState<K> {
  readonly version: 1;
  readonly keys: readonly (readonly [key: K, window: MovingState])[];
}

/** An element, and the window that ends with it. */
export interface Moving<T, K> {
  readonly element: T;
  readonly key: K;
  readonly stats: Stats;
}

class MovingStatsMachine<T, K extends Key> implements Machine<T, Moving<T, K>> {
  readonly #config: MovingStatsConfig<T, K>;
  readonly #keyOf: (element: T) => K;
  readonly #limits: { readonly maxCount: number; readonly maxAgeMs: number };
  readonly #windows: Recent<K, MovingWindow>;

  constructor(config: MovingStatsConfig<T, K>) {
    const { maxCount = 10_000, maxAgeMs = Infinity, keyOf = onlyKey as () => K, maxKeys = 10_000, state } = config;
    if (!(maxCount >= 1 && maxAgeMs > 0)) {
      throw new MillraceError('MILLRACE_E_CONFIG_INVALID', `no window has ${maxCount} elements of ${maxAgeMs} ms`);
    }
    this.#config = config;
    this.#keyOf = keyOf;
    this.#limits = { maxCount, maxAgeMs };
    this.#windows = new Recent(maxKeys);
    for (const [key, saved] of state?.saved?.keys ?? []) this.#windows.add(key, new MovingWindow(this.#limits, saved));
    state?.connect(() => this.capture());
  }

  next(element: T): readonly Moving<T, K>[] {
    const { valueOf, timeOf } = this.#config;
    const key = this.#keyOf(element);
    let window = this.#windows.see(key);
    if (window === undefined) {
      window = new MovingWindow(this.#limits);
      this.#windows.add(key, window);
    }
    const value = valueOf(element);
    const timeMs = timeOf?.(element) ?? 0;
    if (Number.isFinite(value)) window.add(value, timeMs);
    else window.dropUntil(timeMs - this.#limits.maxAgeMs);
    return [{ element, key, stats: window.stats }];
  }

  capture(): MovingStatsState<K> {
    return { version: 1, keys: [...this.#windows].map(([key, window]) => [key, window.capture()]) };
  }
}

/**
 * Emits each element with count, mean, variance, standard deviation, least and greatest of the last numbers of its
 * key, its own included. Exact to rounding however long the stream and however large the numbers' common offset.
 *
 * - on error, on complete: passed on. On unsubscribe: has no timer.
 * - one result for each element, in order. A number that is not finite is left out of the window; its element comes out.
 *   While a window has no number its `count` is 0 and the rest NaN, ∞ and −∞.
 * - never emits without an element, so there is no tick when it is quiet.
 * - memory: `maxCount` numbers with their moments a key, `maxKeys` keys. A throw in a callback is an error notification.
 * - the variance is that of these numbers (divided by `count`); `count / (count - 1)` times it estimates the series'.
 * - source: two stacks (Tangwongsan et al., VLDB 2015) of merged moments (Chan, Golub, LeVeque, 1979).
 *
 * ```marbles
 * source  -1-3-8-4-|
 * > movingStats({ valueOf: (n) => n, maxCount: 2 }),
 * >   map(({ stats }) => [stats.mean, stats.max])
 * output  -w-x-y-z-|
 * where   w: [1, 1], x: [2, 3], y: [5.5, 8], z: [6, 8]
 * ```
 *
 * @example
 * ```ts
 * from([2, 4, 6])
 *   .pipe(movingStats({ valueOf: (load: number) => load, maxCount: 60 }))
 *   .subscribe(({ stats }) => console.log(stats.count, stats.mean, stats.min, stats.max));
 * // → 1 2 2 2
 * // → 2 3 2 4
 * // → 3 4 2 6
 * ```
 */
export function movingStats<T, K extends Key = string>(
  config: MovingStatsConfig<T, K>,
): OperatorFunction<T, Moving<T, K>> {
  return runMachine({ create: () => new MovingStatsMachine(config) });
}
