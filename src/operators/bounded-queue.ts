import { MillraceError } from '../model/errors.js';
import { atLeast } from './at-least.js';

/** What happens to a value for which there is no room: the stream ends, or the oldest or the newest value is dropped. */
export type Overflow = 'error' | 'dropOldest' | 'dropNewest';

/** How many values may wait, and what happens to one more. */
export interface QueueLimits<T> {
  /** So many values may wait. Default 1024. */
  readonly maxQueue?: number;
  /** Default `error`: a MILLRACE_E_OPERATOR_OVERFLOW. */
  readonly overflow?: Overflow;
  /** Hears of every value that is dropped. */
  readonly onDrop?: (value: T) => void;
}

/** First in, first out; adding and taking cost the same however many wait. */
export class BoundedQueue<T> {
  readonly #max: number;
  readonly #overflow: Overflow;
  readonly #onDrop: ((value: T) => void) | undefined;
  #values: (T | undefined)[] = [];
  #head = 0;

  constructor({ maxQueue = 1024, overflow = 'error', onDrop }: QueueLimits<T>) {
    atLeast(0, { maxQueue });
    this.#max = maxQueue;
    this.#overflow = overflow;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#values.length - this.#head;
  }

  /** Adds a value, or drops one; throws when the queue is full and may not drop. */
  push(value: T): void {
    if (this.size < this.#max) {
      this.#values.push(value);
      return;
    }
    if (this.#overflow === 'error') {
      throw new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', `${this.#max} are waiting`);
    }
    if (this.#overflow === 'dropNewest' || this.#max === 0) {
      this.#onDrop?.(value);
      return;
    }
    const oldest = this.shift();
    this.#values.push(value);
    this.#onDrop?.(oldest);
  }

  /** Takes the oldest value. Ask for `size` first. */
  shift(): T {
    const value = this.#values[this.#head] as T;
    // Not kept: the slot outlives the value.
    this.#values[this.#head++] = undefined;
    if (this.#head === this.#values.length || (this.#head >= 1024 && this.#head * 2 >= this.#values.length)) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  clear(): void {
    this.#values = [];
    this.#head = 0;
  }
}
