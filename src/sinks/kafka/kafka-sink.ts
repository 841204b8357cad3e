import {
  catchError,
  concat,
  defer,
  EMPTY,
  endWith,
  forkJoin,
  ignoreElements,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  Subject,
  switchMap,
  tap,
} from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { Kafka, KafkaProducer } from '../../model/kafka.js';
import type { Delivery, Receipt, Sink, SinkResource } from '../../model/sink.js';
import { workWhile } from '../../operators/work-while.js';
import { connectionOf } from '../../sources/kafka/options.js';
import type { Encode } from './messages.js';
import type { KafkaSinkOptions } from './options.js';
import { Parcel, Partitions } from './parcel.js';
import type { Sending } from './parcel.js';

const MAX_REQUEST_MESSAGES = 20_000;
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/**
 * A Kafka topic: at least once, in the order of each key. An idle sink sends at once; what arrives while a request is
 * under way is the next request.
 *
 * - a delivery is answered when all in-sync replicas have all of it; what is larger than Kafka takes is refused.
 * - on error of a request: passed on to the deliveries that had a part in it; when they come again only what was not
 *   confirmed is sent. Of a request without an answer messages may come twice, with the same `millrace-id`.
 * - memory: the messages of the deliveries that wait; lanes have a run each.
 */
export function kafkaSink<T>(options: KafkaSinkOptions, encoder: Observable<Encode<T>>, kafka: Kafka): SinkResource<T> {
  const { topic, compression, createTopic } = options;
  return {
    name: `kafka ${topic}`,
    open: () =>
      kafka.produce(connectionOf(options), { topic, compression, createTopic }).pipe(
        switchMap((producer) => producer.partitions().pipe(map((count) => ({ producer, count })))),
        switchMap(({ producer, count }) => encoder.pipe(map((encode) => ({ producer, count, encode })))),
        switchMap(({ producer, count, encode }) => {
          const sink = new KafkaSink(options.maxMessageBytes, encode, producer, count);
          return merge(sink.work.pipe(ignoreElements()), of(sink));
        }),
      ),
  };
}

class KafkaSink<T> implements Sink<T> {
  readonly usesArrivals = true;
  readonly #maxMessageBytes: number;
  readonly #encode: Encode<T>;
  readonly #producer: KafkaProducer;
  readonly #arrivals = new Subject<void>();
  readonly #parcels = new WeakMap<Delivery<T>, Parcel<T>>();
  #partitions: Partitions;
  #queue: Parcel<T>[] = [];
  /** Smaller after a request that was too large, until the message that did it is found. */
  #maxMessages = MAX_REQUEST_MESSAGES;
  #mustAsk = false;

  constructor(maxMessageBytes: number, encode: Encode<T>, producer: KafkaProducer, partitions: number) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#encode = encode;
    this.#producer = producer;
    this.#partitions = new Partitions(partitions);
  }

  /** Sends while it is subscribed. */
  get work(): Observable<unknown> {
    return this.#arrivals.pipe(
      workWhile(
        () => this.#queue.length > 0,
        defer(() => this.#send()),
      ),
    );
  }

  deliver(delivery: Delivery<T>): Observable<Receipt<T>> {
    return this.deliverRun([delivery]).pipe(mergeMap((receipts) => receipts));
  }

  /** A lane's next run waits while this one is under way, so that the broker works while we do. */
  deliverRun(deliveries: readonly Delivery<T>[]): Observable<readonly Receipt<T>[]> {
    const receipts = forkJoin(deliveries.map((delivery) => this.#enqueued(delivery)));
    return new Observable((subscriber) => {
      const run = receipts.subscribe(subscriber);
      // Not before all of them wait: they are one request.
      this.#arrivals.next();
      return run;
    });
  }

  #enqueued(delivery: Delivery<T>): Observable<Receipt<T>> {
    return new Observable((subscriber) => {
      const parcel = this.#parcels.get(delivery) ?? this.#parcelOf(delivery);
      parcel.subscriber = subscriber;
      if (parcel.answer()) return undefined;
      this.#queue.push(parcel);
      return () => (this.#queue = this.#queue.filter((other) => other !== parcel));
    });
  }

  #parcelOf(delivery: Delivery<T>): Parcel<T> {
    const parcel = new Parcel(delivery, this.#encode, this.#partitions, this.#maxMessageBytes);
    this.#parcels.set(delivery, parcel);
    return parcel;
  }

  #send(): Observable<unknown> {
    const sendings = this.#nextRequest();
    if (sendings.length === 0) return EMPTY;
    const send = this.#producer.send(sendings.map(({ message }) => message));
    return concat(this.#mustAsk ? this.#ask() : EMPTY, send).pipe(
      endWith(undefined),
      tap(() => this.#confirm(sendings)),
      catchError((error: unknown) => this.#failed(sendings, error)),
    );
  }

  /** The messages that are next: in order in each partition, as many of each as a request may have. */
  #nextRequest(): readonly Sending<T>[] {
    const taken = new Map<number, { count: number; bytes: number; isFull: boolean }>();
    const request: Sending<T>[] = [];
    let bytes = 0;
    let full = 0;
    for (const { waiting } of this.#queue) {
      for (const sending of waiting) {
        if (request.length >= this.#maxMessages || bytes >= MAX_REQUEST_BYTES) return request;
        if (full >= this.#partitions.count) return request;
        const { partition } = sending.message;
        const part = taken.get(partition) ?? { count: 0, bytes: 0, isFull: false };
        taken.set(partition, part);
        // The messages of a partition are one unit to the broker, with a limit as if it were one message.
        if (part.isFull) continue;
        const isTooMuch = part.count > 0 && part.bytes + sending.bytes > this.#maxMessageBytes;
        if (isTooMuch) {
          part.isFull = true;
          full++;
          continue;
        }
        part.count++;
        part.bytes += sending.bytes;
        bytes += sending.bytes;
        request.push(sending);
      }
    }
    return request;
  }

  #confirm(sendings: readonly Sending<T>[]): void {
    this.#maxMessages = Math.min(MAX_REQUEST_MESSAGES, this.#maxMessages * 2);
    this.#remove(sendings);
  }

  #remove(sendings: readonly Sending<T>[]): void {
    const parcels = new Set<Parcel<T>>();
    for (const sending of sendings) {
      sending.isDone = true;
      parcels.add(sending.parcel);
    }
    for (const parcel of parcels) {
      parcel.removeDone();
      if (parcel.answer()) this.#queue = this.#queue.filter((other) => other !== parcel);
    }
  }

  #failed(sendings: readonly Sending<T>[], error: unknown): Observable<unknown> {
    const [first] = sendings;
    if (error instanceof MillraceError && error.code === 'MILLRACE_E_KAFKA_TOO_LARGE' && first !== undefined) {
      if (sendings.length === 1) {
        first.parcel.refuse(first.item, error.message);
        this.#remove(sendings);
      } else this.#maxMessages = Math.ceil(sendings.length / 2);
      return EMPTY;
    }
    for (const parcel of new Set(sendings.map((sending) => sending.parcel))) parcel.subscriber?.error(error);
    // The topic may have got more partitions meanwhile.
    this.#mustAsk = true;
    return EMPTY;
  }

  #ask(): Observable<never> {
    return this.#producer.partitions().pipe(
      tap((count) => {
        if (count !== this.#partitions.count) this.#partitions = new Partitions(count);
        this.#mustAsk = false;
      }),
      ignoreElements(),
    );
  }
}
