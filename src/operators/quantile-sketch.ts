/** A bin for each 2 %: a quantile is too high by at most 2 % of its value, and never too low. */
const GAMMA = 1.02;
const LOG_GAMMA = Math.log(GAMMA);
/** Smaller values are as good as zero. */
const LEAST = 1e-9;
/** More bins are not kept: the lowest two become one, and high quantiles stay exact to 2 %. */
const MAX_BINS = 512;

const LEAST_COUNT = 1 / 16;

/** In 64ths, so that it can be written in few digits. */
function half(count: number): number {
  return Math.round(count * 32) / 64;
}

/** The bins of a sketch: those of negative values, how many values are zero, those of positive values. */
export interface SavedSketch {
  readonly below: readonly (readonly [bin: number, count: number])[];
  readonly zero: number;
  readonly above: readonly (readonly [bin: number, count: number])[];
}

function binOf(size: number): number {
  return Math.ceil(Math.log(size) / LOG_GAMMA);
}

/** What no size in a bin is above; a little more, because logarithms are rounded. */
function limitOf(bin: number): number {
  return GAMMA ** bin * (1 + 1e-9);
}

/**
 * How values are spread, in bins whose width grows with the value. Source: DDSketch (Masson, Rim, Lee, VLDB 2019), with
 * counts that may fade: older values count less, so the sketch follows what changes.
 */
export class QuantileSketch {
  readonly #below: Map<number, number>;
  #zero: number;
  readonly #above: Map<number, number>;
  #count: number;

  constructor(saved: SavedSketch = { below: [], zero: 0, above: [] }) {
    this.#below = new Map(saved.below);
    this.#zero = saved.zero;
    this.#above = new Map(saved.above);
    this.#count = [...this.#below.values(), ...this.#above.values()].reduce((sum, each) => sum + each, this.#zero);
  }

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    this.#count++;
    const size = Math.abs(value);
    if (size < LEAST) {
      this.#zero++;
      return;
    }
    const bins = value < 0 ? this.#below : this.#above;
    const bin = binOf(size);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
    if (bins.size > MAX_BINS) joinLowest(bins);
  }

  /** Halves all counts; what then counts next to nothing is left out. */
  fade(): void {
    for (const bins of [this.#below, this.#above]) {
      for (const [bin, count] of bins) {
        if (count < 2 * LEAST_COUNT) bins.delete(bin);
        else bins.set(bin, half(count));
      }
    }
    this.#zero = half(this.#zero);
    this.#count = [...this.#below.values(), ...this.#above.values()].reduce((sum, each) => sum + each, this.#zero);
  }

  /** A value that at least this share of the values is at or below: the end of a bin, so equal values are not above it. */
  quantile(share: number): number {
    let rank = share * this.#count;
    for (const [bin, count] of [...this.#below].sort(([a], [b]) => b - a)) {
      rank -= count;
      if (rank <= 0) return -limitOf(bin - 1) * (1 - 1e-8);
    }
    rank -= this.#zero;
    if (rank <= 0 && this.#zero > 0) return LEAST;
    let last = 0;
    for (const [bin, count] of [...this.#above].sort(([a], [b]) => a - b)) {
      rank -= count;
      last = limitOf(bin);
      if (rank <= 0) return last;
    }
    return last;
  }

  capture(): SavedSketch {
    return { below: [...this.#below], zero: this.#zero, above: [...this.#above] };
  }
}

function joinLowest(bins: Map<number, number>): void {
  const [lowest = 0, next = 0] = [...bins.keys()].sort((a, b) => a - b);
  bins.set(next, (bins.get(next) ?? 0) + (bins.get(lowest) ?? 0));
  bins.delete(lowest);
}
