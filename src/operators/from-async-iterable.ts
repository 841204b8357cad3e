import { Observable } from 'rxjs';
import type { Subscriber } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { listen } from './listen.js';

/** How fast it is read. */
export interface FromAsyncIterableConfig {
  /** Each number is a credit for so many values; `next()` is called only with credit. Default: no limit. */
  readonly demand?: Observable<number>;
  /** Hears of an error of the iterator's `return()`, which nobody else can. Default: it is not reported. */
  readonly onReturnError?: (error: unknown) => void;
}

/** One subscription: an iterator, and the one `next()` that may be on its way. */
class Pull<T> {
  readonly #subscriber: Subscriber<T>;
  readonly #iterator: AsyncIterator<T>;
  readonly #config: FromAsyncIterableConfig;
  #credit: number;
  #isLastCredit = false;
  #isPulling = false;
  #isOver = false;

  constructor(subscriber: Subscriber<T>, iterator: AsyncIterator<T>, config: FromAsyncIterableConfig) {
    this.#subscriber = subscriber;
    this.#iterator = iterator;
    this.#config = config;
    this.#credit = config.demand === undefined ? Infinity : 0;
  }

  add(count: number): void {
    if (!(count >= 1) || (count !== Infinity && !Number.isInteger(count))) {
      throw new MillraceError('MILLRACE_E_OPERATOR_DEMAND', String(count));
    }
    this.#credit += count;
    this.look();
  }

  endDemand(): void {
    this.#isLastCredit = true;
    this.look();
  }

  look(): void {
    if (this.#isPulling || this.#subscriber.closed) return;
    if (this.#credit > 0) void this.#pull();
    else if (this.#isLastCredit) this.#subscriber.complete();
  }

  async #pull(): Promise<void> {
    this.#isPulling = true;
    try {
      const result = await this.#iterator.next();
      this.#isPulling = false;
      if (result.done === true) {
        this.#isOver = true;
        this.#subscriber.complete();
        return;
      }
      this.#credit--;
      this.#subscriber.next(result.value);
      this.look();
    } catch (error) {
      this.#isOver = true;
      this.#subscriber.error(error);
    }
  }

  /** Lets go of the iterator, also while a `next()` is on its way: it may hold a file or a connection. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      await this.#iterator.return?.();
    } catch (error) {
      this.#config.onReturnError?.(error);
    }
  }
}

/**
 * Reads an async iterable one value at a time, as fast as it is asked to. (RxJS's `from` reads as fast as the iterator
 * can, and leaves it open when it is unsubscribed during a `next()`.)
 *
 * - on error: an error of the iterator is passed on; a credit that is not a positive whole number is a
 *   MILLRACE_E_OPERATOR_DEMAND.
 * - on complete: completes when the iterator is done; when the demand has completed and the credit is used up it
 *   completes too, and the iterator's `return()` is called.
 * - on unsubscribe: the iterator's `return()` is called at once, also while a `next()` is on its way. (An async
 *   generator acts on it at its next `yield`.)
 * - never calls `next()` twice at a time. Keeps the order. Memory: one value.
 *
 * @example
 * ```ts
 * async function* pages() {
 *   for (let page = 1; ; page++) yield `page ${page}`;
 * }
 * const two$ = fromAsyncIterable(pages(), { demand: of(2) });
 * console.log(await lastValueFrom(two$.pipe(toArray())));
 * // → [ 'page 1', 'page 2' ]
 * ```
 */
export function fromAsyncIterable<T>(iterable: AsyncIterable<T>, config: FromAsyncIterableConfig = {}): Observable<T> {
  const { demand } = config;
  return new Observable<T>((subscriber) => {
    const pull = new Pull(subscriber, iterable[Symbol.asyncIterator](), config);
    subscriber.add(() => void pull.close());
    if (demand === undefined) pull.look();
    else listen(demand, subscriber, { next: (count) => pull.add(count), complete: () => pull.endDemand() });
  });
}
