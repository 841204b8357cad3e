import { Subscriber } from 'rxjs';
import type { Observable } from 'rxjs';

/** What an operator does with the notifications of a source. */
export interface Listener<T> {
  readonly next: (value: T) => void;
  /** Default: passed on. */
  readonly error?: (error: unknown) => void;
  readonly complete: () => void;
}

// RxJS's own operators are subclasses of Subscriber too: nothing else closes with its consumer before `subscribe` returns.
// eslint-disable-next-line rxjs-x/no-subclass
class Listening<T> extends Subscriber<T> {
  readonly #consumer: Subscriber<never>;
  readonly #listener: Listener<T>;

  constructor(consumer: Subscriber<never>, listener: Listener<T>) {
    // What RxJS's own operators do; its wrapper for it is not exported. Added to the consumer, it is closed with it.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    super(consumer);
    this.#consumer = consumer;
    this.#listener = listener;
  }

  protected override _next(value: T): void {
    try {
      this.#listener.next(value);
    } catch (error) {
      this.#consumer.error(error);
    }
  }

  protected override _error(error: unknown): void {
    const { error: handle } = this.#listener;
    this.#end(() => (handle === undefined ? this.#consumer.error(error) : handle(error)));
  }

  protected override _complete(): void {
    this.#end(this.#listener.complete);
  }

  #end(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#consumer.error(error);
    } finally {
      this.unsubscribe();
    }
  }
}

/**
 * Subscribes to a source on behalf of an operator. A synchronous source stops when the consumer has left, and a throw
 * of a handler is an error notification: neither is so for a plain observer.
 */
export function listen<T>(source: Observable<T>, consumer: Subscriber<never>, listener: Listener<T>): void {
  source.subscribe(new Listening(consumer, listener));
}
