/**
 * How many requests may be under way: one more for each round that all went well, half when the other side is busy.
 * Source: additive increase, multiplicative decrease (Chiu and Jain 1989).
 */
export class Concurrency {
  readonly #max: number;
  #limit: number;

  constructor(max: number) {
    this.#max = max;
    this.#limit = Math.min(2, max);
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** A request went well. */
  well(): void {
    this.#limit = Math.min(this.#max, this.#limit + 1 / this.#limit);
  }

  /** The other side asked for less, or did not answer. */
  busy(): void {
    this.#limit = Math.max(1, this.#limit / 2);
  }
}
