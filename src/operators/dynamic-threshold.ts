import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { baselineOf } from './baselines.js';
import type { Baseline, BaselineMethod, BaselineState } from './baselines.js';
import type { KeptState } from './kept-state.js';
import { runMachine } from './machine.js';
import type { Machine } from './machine.js';
import { onlyKey } from './panes.js';
import type { Key } from './panes.js';
import { Recent } from './recent.js';

/** What is normal, and how far from it is too far. */
export interface DynamicThresholdConfig<T, K extends Key> {
  readonly valueOf: (element: T) => number;
  /** One baseline for each key. Default: everything has one key, ''. */
  readonly keyOf?: (element: T) => K;
  /** `meanStd` (default): mean and standard deviation. `medianMad`: bears wild numbers. `ewma`: forgets slowly. */
  readonly method?: BaselineMethod;
  /** Numbers that a baseline is made of; for `ewma` those with the most weight. Default 5. */
  readonly window?: number;
  /** A number further than this many spreads from the middle is outside. Default 2. */
  readonly maxDeviation?: number;
  /** No judgement before so many numbers. Default: `window`. */
  readonly minSamples?: number;
  /** So many numbers in a row must be outside before it is a breach. Default 1. */
  readonly consecutive?: number;
  /** The least spread: differences are at least measured by it. Default 0. */
  readonly minSpread?: number;
  /** Keys remembered; for another one, the key seen longest ago is forgotten. Default 10 000. */
  readonly maxKeys?: number;
  readonly state?: KeptState<ThresholdState<K>> | undefined;
}

/** The baselines as they can be saved, the key seen last at the end. */
export interface ThresholdState<K> {
  readonly version: 1;
  readonly method: BaselineMethod;
  readonly keys: readonly (readonly [key: K, outsideInARow: number, baseline: BaselineState])[];
}

/** An element, judged by what came before it. */
export interface Judged<T, K> {
  readonly element: T;
  readonly key: K;
  readonly value: number;
  /** What came before it; undefined while that is too little to judge by. */
  readonly baseline: { readonly center: number; readonly spread: number; readonly samples: number } | undefined;
  /** Distance from the middle in spreads; ∞ when it differs from a constant baseline, 0 when it is not judged. */
  readonly deviation: number;
  /** The deviation between 0 and 1: 0.5 is the threshold, 1 is ∞. */
  readonly score: number;
  /** So many in a row are outside, this one included. */
  readonly outsideInARow: number;
  readonly isBreach: boolean;
}

interface Watched {
  readonly baseline: Baseline;
  outsideInARow: number;
}

/** Closer than this, relatively, is the same number: what is left is rounding. */
const SAME = 1e-12;

function deviationOf(value: number, center: number, spread: number): number {
  const distance = Math.abs(value - center);
  return distance <= SAME * Math.max(Math.abs(value), Math.abs(center)) ? 0 : distance / spread;
}

function scoreOf(deviation: number, maxDeviation: number): number {
  if (deviation === 0 || deviation === Infinity) return deviation === 0 ? 0 : 1;
  return deviation / (deviation + maxDeviation);
}

class ThresholdMachine<T, K extends Key> implements Machine<T, Judged<T, K>> {
  readonly #config: DynamicThresholdConfig<T, K>;
  readonly #keyOf: (element: T) => K;
  readonly #method: BaselineMethod;
  readonly #window: number;
  readonly #keys: Recent<K, Watched>;

  constructor(config: DynamicThresholdConfig<T, K>) {
    const { method = 'meanStd', window = 5, maxKeys = 10_000, keyOf = onlyKey as () => K, state } = config;
    if (!(window >= 1) || (config.minSamples !== undefined && method !== 'ewma' && config.minSamples > window)) {
      const detail = `a window of ${window} never has ${config.minSamples ?? window} samples`;
      throw new MillraceError('MILLRACE_E_CONFIG_INVALID', detail);
    }
    this.#config = config;
    this.#keyOf = keyOf;
    this.#method = method;
    this.#window = window;
    this.#keys = new Recent(maxKeys);
    if (state?.saved !== undefined) this.#restore(state.saved);
    state?.connect(() => this.capture());
  }

  next(element: T): readonly Judged<T, K>[] {
    const key = this.#keyOf(element);
    let watched = this.#keys.see(key);
    if (watched === undefined) {
      watched = { baseline: baselineOf(this.#method, this.#window), outsideInARow: 0 };
      this.#keys.add(key, watched);
    }
    const judged = this.#judge(element, key, watched);
    // Only now: with the number inside, its own baseline would always excuse it.
    if (Number.isFinite(judged.value)) watched.baseline.learn(judged.value);
    return [judged];
  }

  capture(): ThresholdState<K> {
    const keys = [...this.#keys].map(
      ([key, { baseline, outsideInARow }]) => [key, outsideInARow, baseline.capture()] as const,
    );
    return { version: 1, method: this.#method, keys };
  }

  #restore({ method, keys }: ThresholdState<K>): void {
    if (method !== this.#method) {
      throw new MillraceError('MILLRACE_E_STATE_UNFIT', `a baseline of ${method} is none of ${this.#method}`);
    }
    for (const [key, outsideInARow, saved] of keys) {
      this.#keys.add(key, { baseline: baselineOf(method, this.#window, saved), outsideInARow });
    }
  }

  #judge(element: T, key: K, watched: Watched): Judged<T, K> {
    const { valueOf, maxDeviation = 2, minSamples = this.#window, consecutive = 1, minSpread = 0 } = this.#config;
    const value = valueOf(element);
    const { samples } = watched.baseline;
    if (samples < minSamples || samples === 0 || !Number.isFinite(value)) {
      const { outsideInARow } = watched;
      return { element, key, value, baseline: undefined, deviation: 0, score: 0, outsideInARow, isBreach: false };
    }
    const { center, spread } = watched.baseline.center;
    const deviation = deviationOf(value, center, Math.max(spread, minSpread));
    const isOutside = deviation > maxDeviation;
    watched.outsideInARow = isOutside ? watched.outsideInARow + 1 : 0;
    return {
      element,
      key,
      value,
      baseline: { center, spread, samples },
      deviation,
      score: scoreOf(deviation, maxDeviation),
      outsideInARow: watched.outsideInARow,
      isBreach: watched.outsideInARow >= consecutive && isOutside,
    };
  }
}

/**
 * Judges each number by those of its key that came before it: it is outside when it is further than `maxDeviation`
 * spreads from their middle. By default the last 5 numbers, and more than 2 standard deviations from their mean. The
 * number itself is not in its own baseline: inside, 5 numbers could never be more than 2 deviations apart.
 *
 * - on error, on complete: passed on. On unsubscribe: has no timer.
 * - one result for each element, in order; which of them are breaches is a `filter` away. Not judged, and never a
 *   breach, is what comes before `minSamples`, and a number that is not finite; the latter is not learnt either.
 * - a constant baseline has no spread: any other number is infinitely far, and the same number is not far at all. Say
 *   with `minSpread` which differences are too small to matter. For `medianMad`, when more than half of the numbers are
 *   the same, the mean distance from the median stands in for the median distance.
 * - 2 standard deviations of 5 normal numbers are a loud alarm (about one in five or six goes off): a longer window,
 *   `consecutive` and a larger `maxDeviation` make it quiet.
 * - memory: `window` numbers a key (`ewma`: three), `maxKeys` keys. A throw in a callback is an error notification.
 * - order matters: feed it closed windows, or a series in order of time.
 *
 * ```marbles
 * source  -1-3-1-3-6-4-|
 * > dynamicThreshold({ valueOf: (n) => n, window: 4 }),
 * >   filter(({ isBreach }) => isBreach),
 * >   map(({ value, baseline, deviation }) => ({ value, baseline, deviation }))
 * output  ---------x---|
 * where   x: { value: 6, baseline: { center: 2, spread: 1, samples: 4 }, deviation: 4 }
 * ```
 *
 * @example
 * ```ts
 * from([10, 11, 9, 10, 10, 12, 10])
 *   .pipe(
 *     dynamicThreshold({ valueOf: (perSecond: number) => perSecond, maxDeviation: 3 }),
 *     filter(({ isBreach }) => isBreach),
 *   )
 *   .subscribe(({ value, deviation }) => console.log(value, deviation.toFixed(1)));
 * // → 12 3.2
 * ```
 */
export function dynamicThreshold<T, K extends Key = string>(
  config: DynamicThresholdConfig<T, K>,
): OperatorFunction<T, Judged<T, K>> {
  return runMachine({ create: () => new ThresholdMachine(config) });
}
