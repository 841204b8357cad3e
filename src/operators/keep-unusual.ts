import type { LogEvent } from '../model/event.js';
import type { Json } from '../model/json.js';
import { numberIn, testOf } from './condition.js';
import type { Condition } from './condition.js';
import { keyOf } from './event-key.js';
import { QuantileSketch } from './quantile-sketch.js';
import type { SavedSketch } from './quantile-sketch.js';
import { forgetOldest, rememberingStage } from './remembering.js';
import type { Judge, RememberingStage } from './remembering.js';

/** What is asked of an event, and what its field's number is compared with: the numbers of the events before it. */
export interface UnusualConfig extends Condition {
  readonly field: string;
  /** The number is greater than this share of those before, e.g. 0.99; and by up to 2 % of its value, so equal numbers are not unusual. */
  readonly aboveQuantile?: number;
  /** The number is more than so many standard deviations from the mean of those before. */
  readonly anomalyAbove?: number;
  /** Each combination of values of these fields has a history of its own. Default: one history. */
  readonly by?: readonly string[];
  /** A history of fewer numbers says nothing: the event does not go on. Default 100. */
  readonly minSamples?: number;
  /** About so many of the newest numbers count. Default 10 000. */
  readonly windowSamples?: number;
  /** How many histories are kept; those that got nothing for longest are forgotten. Default 100. */
  readonly maxKeys?: number;
}

/** As it is captured: how many numbers, their mean and variance, the threshold and when it is computed anew, the sketch. */
type SavedHistory = readonly [
  count: number,
  mean: number,
  variance: number,
  threshold: number,
  next: number,
  sketch: SavedSketch | null,
];

/** Greater numbers are learnt as this: their squares would be infinite, which JSON cannot say. */
const MOST = 1e100;
/** The threshold is computed anew when there are this much more numbers. */
const REFRESH_SHARE = 1 / 50;

/** The numbers of one key. */
class History {
  readonly #config: UnusualConfig;
  #count: number;
  #mean: number;
  #variance: number;
  #threshold: number;
  #next: number;
  readonly #sketch: QuantileSketch | undefined;

  constructor(config: UnusualConfig, [count, mean, variance, threshold, next, sketch]: SavedHistory) {
    this.#config = config;
    this.#count = count;
    this.#mean = mean;
    this.#variance = variance;
    this.#threshold = threshold;
    this.#next = next;
    this.#sketch = config.aboveQuantile === undefined ? undefined : new QuantileSketch(sketch ?? undefined);
  }

  isUnusual(value: number): boolean {
    const { anomalyAbove, minSamples = 100 } = this.#config;
    if (this.#count < minSamples) return false;
    if (this.#sketch !== undefined && value <= this.#threshold) return false;
    return anomalyAbove === undefined || Math.abs(value - this.#mean) > anomalyAbove * Math.sqrt(this.#variance);
  }

  add(given: number): void {
    const value = Math.min(Math.max(given, -MOST), MOST);
    const { aboveQuantile = 1, windowSamples = 10_000 } = this.#config;
    this.#count++;
    // Source: West, Updating Mean and Variance Estimates, CACM 1979; beyond the window with weights that fade.
    const weight = 1 / Math.min(this.#count, windowSamples);
    const difference = value - this.#mean;
    this.#mean += weight * difference;
    this.#variance = (1 - weight) * (this.#variance + weight * difference * difference);
    if (this.#sketch === undefined) return;
    this.#sketch.add(value);
    if (this.#sketch.count >= 2 * windowSamples) this.#sketch.fade();
    if (this.#count < this.#next) return;
    this.#threshold = this.#sketch.quantile(aboveQuantile);
    this.#next = this.#count + Math.max(1, Math.floor(Math.min(this.#count, windowSamples) * REFRESH_SHARE));
  }

  capture(): SavedHistory {
    const sketch = this.#sketch?.capture() ?? null;
    return [this.#count, this.#mean, this.#variance, this.#threshold, this.#next, sketch];
  }
}

class Histories implements Judge {
  readonly #config: UnusualConfig;
  readonly #holds: (event: LogEvent) => boolean;
  readonly #keyOf: (event: LogEvent) => string | undefined;
  readonly #histories: Map<string, History>;

  constructor(config: UnusualConfig, saved: Json | undefined) {
    this.#config = config;
    this.#holds = testOf(config);
    this.#keyOf = keyOf(config.by ?? []);
    const histories = (saved ?? []) as unknown as readonly (readonly [string, SavedHistory])[];
    this.#histories = new Map(histories.map(([key, history]) => [key, new History(config, history)]));
  }

  admits(event: LogEvent): boolean {
    const value = this.#holds(event) ? numberIn(event.get(this.#config.field)) : undefined;
    if (value === undefined || !Number.isFinite(value)) return false;
    const key = this.#keyOf(event) ?? '';
    const history = this.#histories.get(key) ?? new History(this.#config, [0, 0, 0, 0, 0, null]);
    this.#histories.delete(key);
    this.#histories.set(key, history);
    forgetOldest(this.#histories, this.#config.maxKeys ?? 100);
    // Asked first: a number is no part of what it is compared with.
    const answer = history.isUnusual(value);
    history.add(value);
    return answer;
  }

  capture(): Json {
    return [...this.#histories].map(([key, history]) => [key, history.capture() as unknown as Json]);
  }
}

/**
 * Lets the events through whose number is unusual beside those before it: above a quantile, or far from the mean. The
 * others are reported to their origin as filtered: also those that the rest of the condition does not hold for, whose
 * numbers are not learnt from, those whose field is no number, and all while the history is short.
 *
 * - the same `event.id` gets the same answer in a replay: in a pipeline the histories are part of the checkpoint, and what
 *   is read again is not learnt from twice. Where several lanes are read at once, answers depend on how they interleave.
 * - never emits an event before `minSamples` numbers were seen, and changes none.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order.
 * - memory: `maxKeys` histories, each of a key of at most 120 characters and 100 bytes, and with a quantile at most 1024
 *   bins of 10 bytes (some 200 are usual); about as much in the checkpoint, and 5 bytes for each event between this stage
 *   and the slowest sink.
 *
 * ```marbles
 * source  -a-b-c-d-|
 * > keepUnusual({ field: 'ms', aboveQuantile: 0.5, minSamples: 2 })
 * output  -------d-|
 * where   a: event({ ms: 10 }), b: event({ ms: 12 }), c: event({ ms: 9 }), d: event({ ms: 90 })
 * ```
 *
 * @example
 * ```ts
 * events('{"ms":10}', '{"ms":12}', '{"ms":9}', '{"ms":90}')
 *   .pipe(parse({ format: 'json' }), keepUnusual({ field: 'ms', aboveQuantile: 0.5, minSamples: 2 }))
 *   .subscribe((event) => console.log(event.get('ms')));
 * // → 90
 * ```
 */
export function keepUnusual(config: UnusualConfig): RememberingStage {
  const { field, by = [], aboveQuantile, anomalyAbove } = config;
  const name = `keep(${[field, aboveQuantile, anomalyAbove, ...by].join()})`;
  return rememberingStage({ name, begin: (saved) => new Histories(config, saved) });
}
