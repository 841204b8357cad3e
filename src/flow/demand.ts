import { Observable } from 'rxjs';
import type { Demand } from '../model/source.js';

/** How much may be between the sources and the sinks. */
export interface DemandConfig {
  /** Bytes for all lanes together. */
  readonly budgetBytes: number;
  /** Bytes for one lane; at least one batch fits always. Default: an eighth of the budget. */
  readonly laneBytes?: number;
}

/** Shut at `capBytes`, open again at half of it: so it opens for many batches, not for one. */
class Gate {
  readonly #capBytes: number;
  #usedBytes = 0;
  #isShut = false;

  constructor(capBytes: number) {
    this.#capBytes = capBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get isOpen(): boolean {
    return !this.#isShut;
  }

  add(bytes: number): void {
    this.#usedBytes += bytes;
    if (this.#usedBytes >= this.#capBytes) this.#isShut = true;
    else if (this.#usedBytes * 2 <= this.#capBytes) this.#isShut = false;
  }
}

interface Waiting {
  readonly lane: string;
  readonly bytes: number;
  go(): void;
}

/**
 * The budget of a pipeline: what has been read and has not settled yet. Reservations are served in the order they came
 * in, but a lane that is at its own cap does not hold up the others.
 *
 * @example
 * ```ts
 * const budget = new Budget({ budgetBytes: 1000, laneBytes: 500 });
 * const read = (lane: string, bytes: number) => budget.reserve(lane, bytes).subscribe(() => console.log(lane, bytes));
 * read('a', 500);
 * read('a', 10); // a has its share: until it has half of it again
 * read('b', 400);
 * budget.release('a', 300);
 * // → a 500
 * // → b 400
 * // → a 10
 * ```
 */
export class Budget implements Demand {
  readonly #all: Gate;
  readonly #laneBytes: number;
  readonly #lanes = new Map<string, Gate>();
  readonly #queue = new Set<Waiting>();
  #isServing = false;

  constructor({ budgetBytes, laneBytes = budgetBytes / 8 }: DemandConfig) {
    this.#all = new Gate(budgetBytes);
    this.#laneBytes = laneBytes;
  }

  /** Bytes that are reserved or in flight. */
  get usedBytes(): number {
    return this.#all.usedBytes;
  }

  /** True while the lane could reserve more. A lane that is held back by demand is not idle. */
  isOpen(lane: string): boolean {
    return this.#all.isOpen && (this.#lanes.get(lane)?.isOpen ?? true);
  }

  reserve(lane: string, bytes: number): Observable<void> {
    return new Observable((subscriber) => {
      const waiting: Waiting = {
        lane,
        bytes,
        go: () => {
          this.#add(lane, bytes);
          subscriber.next();
          subscriber.complete();
        },
      };
      // Whoever is served may reserve again at once, and then stands behind those who wait already.
      if (this.isOpen(lane) && !this.#isServing) {
        waiting.go();
        return undefined;
      }
      this.#queue.add(waiting);
      return () => this.#queue.delete(waiting);
    });
  }

  adjust(lane: string, bytes: number): void {
    this.#add(lane, bytes);
    if (bytes < 0) this.#serve();
  }

  /** Gives back what a settled batch took. */
  release(lane: string, bytes: number): void {
    this.adjust(lane, -bytes);
  }

  /** Gives back everything the lane still holds: it ended or was taken away. */
  close(lane: string): void {
    const gate = this.#lanes.get(lane);
    if (gate === undefined) return;
    this.#lanes.delete(lane);
    this.#all.add(-gate.usedBytes);
    this.#serve();
  }

  #add(lane: string, bytes: number): void {
    let gate = this.#lanes.get(lane);
    if (gate === undefined) {
      gate = new Gate(this.#laneBytes);
      this.#lanes.set(lane, gate);
    }
    gate.add(bytes);
    this.#all.add(bytes);
  }

  /** Serves who can be served, from the front, until nobody can. */
  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      for (let next = this.#first(); next !== undefined; next = this.#first()) {
        this.#queue.delete(next);
        next.go();
      }
    } finally {
      this.#isServing = false;
    }
  }

  #first(): Waiting | undefined {
    if (!this.#all.isOpen) return undefined;
    for (const waiting of this.#queue) if (this.isOpen(waiting.lane)) return waiting;
    return undefined;
  }
}
