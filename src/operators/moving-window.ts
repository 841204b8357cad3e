import { mergedMoments, noMoments, statsFrom, withValue } from './reducers.js';
import type { Moments, Stats } from './reducers.js';

/** One number in the window. */
export type Sample = readonly [value: number, timeMs: number];

/** The numbers of a window as they can be saved, oldest first. How they are split decides the last bit of a result. */
export interface MovingState {
  readonly front: readonly Sample[];
  readonly back: readonly Sample[];
}

/** Up to how many numbers, and of which age. */
export interface MovingLimits {
  readonly maxCount: number;
  readonly maxAgeMs: number;
}

interface Suffix {
  readonly sample: Sample;
  /** Of this number and all that came after it, up to the turn. */
  readonly moments: Moments;
}

/**
 * The last numbers of a series, and their moments at any time. Nothing is ever subtracted, so nothing cancels and no
 * error builds up: the window is two stacks, each with the moments of its parts, and they are merged when asked. Each
 * stack measures from a number of its own that stays as long as the stack does, so a large offset costs no digits.
 * One addition a number, amortised. Source: two-stacks queue, Tangwongsan, Hirzel, Schneider, General Incremental
 * Sliding-Window Aggregation, VLDB 2015; merging: Chan, Golub, LeVeque, 1979.
 */
export class MovingWindow {
  readonly #limits: MovingLimits;
  /** The oldest number is the last. */
  #front: Suffix[] = [];
  #frontFrom = 0;
  #back: Sample[] = [];
  #backFrom = 0;
  #backMoments = noMoments;

  constructor(limits: MovingLimits, saved?: MovingState) {
    this.#limits = limits;
    if (saved === undefined) return;
    this.#back = [...saved.front];
    this.#turn();
    for (const [value, timeMs] of saved.back) this.#push(value, timeMs);
  }

  get count(): number {
    return this.#front.length + this.#back.length;
  }

  /** Adds a number; what is then too much or too old leaves. */
  add(value: number, timeMs: number): void {
    this.#push(value, timeMs);
    while (this.count > this.#limits.maxCount) this.#dropOldest();
    this.dropUntil(timeMs - this.#limits.maxAgeMs);
  }

  /** Drops what is that old, or older. */
  dropUntil(timeMs: number): void {
    while (this.count > 0 && this.#oldestMs <= timeMs) this.#dropOldest();
  }

  get stats(): Stats {
    const front = this.#front.at(-1)?.moments ?? noMoments;
    const from = this.#front.length > 0 ? this.#frontFrom : this.#backFrom;
    const moments = mergedMoments(front, this.#backMoments, this.#backFrom - from);
    return statsFrom({ ...moments, mean: from + moments.mean });
  }

  capture(): MovingState {
    return { front: this.#front.map(({ sample }) => sample).reverse(), back: [...this.#back] };
  }

  get #oldestMs(): number {
    return (this.#front.at(-1)?.sample ?? this.#back[0])?.[1] ?? Infinity;
  }

  #push(value: number, timeMs: number): void {
    if (this.#back.length === 0) this.#backFrom = value;
    this.#back.push([value, timeMs]);
    this.#backMoments = withValue(this.#backMoments, value, this.#backFrom);
  }

  #dropOldest(): void {
    if (this.#front.length === 0) this.#turn();
    this.#front.pop();
  }

  /** The back becomes the front, measured from its newest number: the one that will stay longest. */
  #turn(): void {
    this.#frontFrom = this.#back.at(-1)?.[0] ?? 0;
    let moments = noMoments;
    for (let sample = this.#back.pop(); sample !== undefined; sample = this.#back.pop()) {
      moments = withValue(moments, sample[0], this.#frontFrom);
      this.#front.push({ sample, moments });
    }
    this.#backMoments = noMoments;
  }
}
