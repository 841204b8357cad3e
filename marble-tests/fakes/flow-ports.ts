import { concat, NEVER, of } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Batch, Lane, LogRecord } from '../../src/model/batch.js';
import type { LogEvent } from '../../src/model/event.js';
import type { Delivery, Receipt, Sink, SinkResource } from '../../src/model/sink.js';

/** Records of one character each: their offsets are 0, 1, 2 … from `from` on. */
function recordsOf(texts: Iterable<string>, from = 0): LogRecord[] {
  return [...texts].map((text, at) => ({ offset: from + at, text }));
}

/** A batch of records of one character; its position is the offset after the last one. */
export function batchOf(texts: Iterable<string>, from = 0, bytes = 1): Batch {
  const records = recordsOf(texts, from);
  return { records, position: from + records.length, bytes, state: null };
}

export function laneOf(id: string, batches: Observable<Batch>, changes: Partial<Lane> = {}): Lane {
  return { id, position: 0, state: null, fields: {}, batches, revoked: NEVER, ...changes };
}

/** Everything was delivered. */
export function receiptFor<T>({ items }: Delivery<T>): Receipt<T> {
  return { delivered: items.length, duplicates: 0, refused: [] };
}

/** Takes everything at once. */
export function willingSink<T = LogEvent>(): Sink<T> {
  return { deliver: (delivery) => of(receiptFor(delivery)) };
}

/** Keeps what it got, by delivery, and answers as `answer` says. */
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
