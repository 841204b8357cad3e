import { MovingWindow } from './moving-window.js';
import type { MovingState } from './moving-window.js';

/** How a baseline sees what is normal: the middle of the last numbers, and how far they spread around it. */
export type BaselineMethod = 'meanStd' | 'medianMad' | 'ewma';

/** The middle and the spread, in the unit of the numbers. */
interface Center {
  readonly center: number;
  readonly spread: number;
}

/** What the last numbers say about the next one. */
export interface Baseline {
  /** How many numbers it has learnt from, `window` at most for those that forget. */
  readonly samples: number;
  /** NaN before the first number. */
  readonly center: Center;
  learn(value: number): void;
  capture(): BaselineState;
}

/** A baseline as it can be saved. */
export type BaselineState = MovingState | readonly number[] | EwmaState;

interface EwmaState {
  readonly samples: number;
  readonly mean: number;
  readonly variance: number;
}

/** A baseline of the last `window` numbers; of all, less and less, for `ewma`. */
export function baselineOf(method: BaselineMethod, window: number, saved?: BaselineState): Baseline {
  switch (method) {
    case 'meanStd':
      return new MeanStd(window, saved as MovingState | undefined);
    case 'medianMad':
      return new MedianMad(window, saved as readonly number[] | undefined);
    case 'ewma':
      return new Ewma(window, saved as EwmaState | undefined);
  }
}

class MeanStd implements Baseline {
  readonly #window: MovingWindow;

  constructor(window: number, saved?: MovingState) {
    this.#window = new MovingWindow({ maxCount: window, maxAgeMs: Infinity }, saved);
  }

  get samples(): number {
    return this.#window.count;
  }

  get center(): Center {
    const { mean, std } = this.#window.stats;
    return { center: mean, spread: std };
  }

  learn(value: number): void {
    this.#window.add(value, 0);
  }

  capture(): MovingState {
    return this.#window.capture();
  }
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

const ascending = (one: number, other: number): number => one - other;

/** Makes the median distance, and the mean distance, of a normal distribution its standard deviation. */
const MAD_TO_STD = 1.4826;
const MEAN_DISTANCE_TO_STD = 1.2533;

/**
 * The median, and the median distance from it: half of the numbers may be wild. When more than half are the same the
 * median distance is 0, and the mean distance stands in. Source: Iglewicz, Hoaglin, How to Detect and Handle Outliers, 1993.
 */
class MedianMad implements Baseline {
  readonly #size: number;
  #values: number[];

  constructor(size: number, saved: readonly number[] = []) {
    this.#size = size;
    this.#values = [...saved];
  }

  get samples(): number {
    return this.#values.length;
  }

  get center(): Center {
    const center = medianOf([...this.#values].sort(ascending));
    const distances = this.#values.map((value) => Math.abs(value - center)).sort(ascending);
    const mad = medianOf(distances);
    const meanDistance = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
    return { center, spread: mad === 0 ? MEAN_DISTANCE_TO_STD * meanDistance : MAD_TO_STD * mad };
  }

  learn(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#size) this.#values.shift();
  }

  capture(): readonly number[] {
    return [...this.#values];
  }
}

/**
 * Mean and variance in which a number weighs less the longer ago it was, α = 2 / (window + 1).
 * Source: T. Finch, Incremental calculation of weighted mean and variance, 2009.
 */
class Ewma implements Baseline {
  readonly #alpha: number;
  #samples: number;
  #mean: number;
  #variance: number;

  constructor(window: number, saved: EwmaState = { samples: 0, mean: 0, variance: 0 }) {
    this.#alpha = 2 / (window + 1);
    this.#samples = saved.samples;
    this.#mean = saved.mean;
    this.#variance = saved.variance;
  }

  get samples(): number {
    return this.#samples;
  }

  get center(): Center {
    if (this.#samples === 0) return { center: NaN, spread: NaN };
    return { center: this.#mean, spread: Math.sqrt(this.#variance) };
  }

  learn(value: number): void {
    if (this.#samples === 0) this.#mean = value;
    const distance = value - this.#mean;
    this.#mean += this.#alpha * distance;
    this.#variance = (1 - this.#alpha) * (this.#variance + this.#alpha * distance * distance);
    this.#samples++;
  }

  capture(): EwmaState {
    return { samples: this.#samples, mean: this.#mean, variance: this.#variance };
  }
}
