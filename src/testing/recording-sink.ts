import { concat, NEVER, of } from 'rxjs';
import type { Observable } from 'rxjs';
import type { LogEvent } from '../model/event.js';
import type { Delivery, Receipt, Sink, SinkResource } from '../model/sink.js';

/** The receipt for a delivery of which everything was delivered. */
export function receiptFor<T>({ items }: Delivery<T>): Receipt<T> {
  return { delivered: items.length, duplicates: 0, refused: [] };
}

/**
 * Keeps what it got, by delivery, and answers as `answer` says. Default: everything is taken at once.
 *
 * @example
 * ```ts
 * const sink = new RecordingSink<string>((delivery, at) =>
 *   at === 0 ? throwError(() => new MillraceError('MILLRACE_E_FILE_NO_SPACE')) : of(receiptFor(delivery)),
 * );
 * const send$ = defer(() => sink.deliver({ lane: 'l', position: 2, items: ['a', 'b'] }));
 * send$
 *   .pipe(retryBackoff({ initialMs: 10 }))
 *   .subscribe(({ delivered }) => console.log(delivered, sink.deliveries.length));
 * // → 2 2
 * ```
 */
export class RecordingSink<T = LogEvent> implements Sink<T> {
  readonly deliveries: Delivery<T>[] = [];
  readonly #answer: (delivery: Delivery<T>, at: number) => Observable<Receipt<T>>;

  constructor(answer: (delivery: Delivery<T>, at: number) => Observable<Receipt<T>> = (all) => of(receiptFor(all))) {
    this.#answer = answer;
  }

  deliver(delivery: Delivery<T>): Observable<Receipt<T>> {
    this.deliveries.push(delivery);
    return this.#answer(delivery, this.deliveries.length - 1);
  }
}

/** A resource that is open at once and stays so. */
export function resourceOf<T>(sink: Sink<T>, name = 'fake'): SinkResource<T> {
  return { name, open: () => concat(of(sink), NEVER) };
}
