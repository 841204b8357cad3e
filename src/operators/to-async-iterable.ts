import { Subject, takeUntil } from 'rxjs';
import type { Observable } from 'rxjs';
import { atLeast } from './at-least.js';
import { BoundedQueue } from './bounded-queue.js';
import type { Overflow } from './bounded-queue.js';

/** How much may wait for the loop, and how the source is told. */
export interface AsyncIterableConfig<T> {
  /** So many values may wait for `next()`. */
  readonly highWater: number;
  /** What happens to one more. Default `error`: a MILLRACE_E_OPERATOR_OVERFLOW, after the values that wait. */
  readonly overflow?: Overflow;
  /** Hears of every value that is dropped. */
  readonly onDrop?: (value: T) => void;
  /**
   * Asks the source for so many values more: `highWater` at first, then again when half of it has been taken. Give it
   * to a source that honours demand and nothing ever overflows.
   */
  readonly request?: (count: number) => void;
}

/** One loop over a source: its subscription and what waits. */
class Reading<T> implements AsyncIterator<T, undefined> {
  readonly #source: Observable<T>;
  readonly #config: AsyncIterableConfig<T>;
  readonly #waiting: BoundedQueue<T>;
  readonly #loops: {
    readonly resolve: (result: IteratorResult<T, undefined>) => void;
    reject(error: unknown): void;
  }[] = [];
  readonly #left = new Subject<void>();
  #hasStarted = false;
  #taken = 0;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: Observable<T>, config: AsyncIterableConfig<T>) {
    this.#source = source;
    this.#config = config;
    this.#waiting = new BoundedQueue<T>({ ...config, maxQueue: config.highWater });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    this.#start();
    if (this.#waiting.size > 0) {
      const value = this.#waiting.shift();
      this.#took();
      return Promise.resolve({ done: false, value });
    }
    const failure = this.#failure;
    this.#failure = undefined;
    // As it came, whatever was thrown.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    if (failure !== undefined) return Promise.reject(failure.error);
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#loops.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#failure = undefined;
    this.#waiting.clear();
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #start(): void {
    if (this.#hasStarted || this.#isOver) return;
    this.#hasStarted = true;
    const { highWater, request } = this.#config;
    // A loop is a consumer outside of any operator. A synchronous source is still inside `subscribe` when there is no
    // more room: a subscription would come too late to stop it.
    this.#source.pipe(takeUntil(this.#left)).subscribe({
      next: (value) => this.#arrive(value),
      error: (error: unknown) => this.#end({ error }),
      complete: () => this.#end(),
    });
    request?.(highWater);
  }

  #arrive(value: T): void {
    if (this.#isOver) return;
    const loop = this.#loops.shift();
    if (loop !== undefined) {
      loop.resolve({ done: false, value });
      this.#took();
      return;
    }
    try {
      this.#waiting.push(value);
    } catch (error) {
      this.#end({ error });
    }
  }

  #took(): void {
    this.#taken++;
    if (this.#isOver || this.#taken * 2 < this.#config.highWater) return;
    const count = this.#taken;
    this.#taken = 0;
    this.#config.request?.(count);
  }

  #end(failure?: { readonly error: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#left.next();
    const loops = this.#loops.splice(0);
    if (failure !== undefined) {
      const loop = loops.shift();
      if (loop === undefined) this.#failure = failure;
      else loop.reject(failure.error);
    }
    for (const loop of loops) loop.resolve({ done: true, value: undefined });
  }
}

/**
 * A source for `for await`: what comes faster than the loop takes it waits, up to `highWater` values.
 *
 * - each loop is a subscription of its own; it begins with the first `next()`.
 * - on error: the loop throws it, after the values that wait. On complete: the loop ends after the values that wait.
 * - on unsubscribe, which is `break`, `return` or a throw in the loop: the source is unsubscribed, what waits is dropped.
 * - never hands out a value twice, or to two loops.
 * - an Observable cannot be slowed down from here: one that honours demand takes `request`; for others `overflow` says
 *   what happens. Keeps the order. Memory: `highWater` values.
 *
 * @example
 * ```ts
 * for await (const n of toAsyncIterable(range(1, 3), { highWater: 16 })) console.log(n);
 * // → 1
 * // → 2
 * // → 3
 * ```
 */
export function toAsyncIterable<T>(source: Observable<T>, config: AsyncIterableConfig<T>): AsyncIterable<T> {
  const { highWater } = config;
  atLeast(1, { highWater });
  return { [Symbol.asyncIterator]: () => new Reading(source, config) };
}
