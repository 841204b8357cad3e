import type { Subscriber } from 'rxjs';
import type { OutgoingMessage } from '../../model/kafka.js';
import type { Delivery, Receipt } from '../../model/sink.js';
import { MillraceError } from '../../model/errors.js';
import type { Encode, Message } from './messages.js';
import { partitionOf } from './partition-of.js';

/** A message with its partition, and what it takes in a request. */
interface Addressed {
  readonly message: OutgoingMessage;
  readonly bytes: number;
}

/** A message on its way, and the item it was made from. */
export interface Sending<T> extends Addressed {
  readonly parcel: Parcel<T>;
  readonly item: T;
  /** It has been confirmed, or refused. */
  isDone: boolean;
}

/** What a record takes in a request beside key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 40;

function bytesOf({ key, value, headers }: Message): number {
  let bytes = RECORD_OVERHEAD_BYTES;
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name] ?? '') + 4;
  if (key !== null) bytes += Buffer.byteLength(key);
  return bytes + (typeof value === 'string' ? Buffer.byteLength(value) : value.length);
}

/** How many keys are remembered: levels, services, devices. */
const MAX_KEYS = 1000;

/** Partitions of keys, computed once for those that come often. */
export class Partitions {
  readonly count: number;
  readonly #known = new Map<string, number>();

  constructor(count: number) {
    this.count = count;
  }

  of(key: string): number {
    let partition = this.#known.get(key);
    if (partition === undefined) {
      partition = partitionOf(key, this.count);
      if (this.#known.size >= MAX_KEYS) this.#known.clear();
      this.#known.set(key, partition);
    }
    return partition;
  }
}

/** Makes a message of an item, with its partition and size; an error if it is larger than a message may be. */
export function addressing<T>(
  encode: Encode<T>,
  partitions: Partitions,
  maxMessageBytes: number,
): (item: T) => Addressed | MillraceError {
  return (item) => {
    const message = encode(item);
    const bytes = bytesOf(message);
    if (bytes > maxMessageBytes) return tooLarge(`${bytes} bytes, maxMessageBytes is ${maxMessageBytes}`);
    // A replay has to land in the same place, so without a key it is the id that says where.
    const partition =
      message.key === null
        ? partitionOf(message.headers['millrace-id'] ?? '', partitions.count)
        : partitions.of(message.key);
    const { key, value, headers } = message;
    return { message: { partition, key, value, headers }, bytes };
  };
}

function tooLarge(why: string): MillraceError {
  return MillraceError.ofRecord('MILLRACE_E_KAFKA_TOO_LARGE', why);
}

/**
 * A delivery as messages. Kept while the leg tries again: what a partition has taken is not sent a second time.
 */
export class Parcel<T> {
  /** Messages that nobody has confirmed, in order. */
  waiting: readonly Sending<T>[];
  subscriber: Subscriber<Receipt<T>> | undefined;
  readonly #count: number;
  readonly #refused: { item: T; reason: Error }[] = [];

  constructor({ items }: Delivery<T>, encode: Encode<T>, partitions: Partitions, maxMessageBytes: number) {
    this.#count = items.length;
    const waiting: Sending<T>[] = [];
    const address = addressing(encode, partitions, maxMessageBytes);
    for (const item of items) {
      const addressed = address(item);
      if (addressed instanceof MillraceError) this.#refused.push({ item, reason: addressed });
      else waiting.push({ parcel: this, item, message: addressed.message, bytes: addressed.bytes, isDone: false });
    }
    this.waiting = waiting;
  }

  refuse(item: T, why: string): void {
    this.#refused.push({ item, reason: tooLarge(why) });
  }

  /** Some have been confirmed, or refused. */
  removeDone(): void {
    this.waiting = this.waiting.filter(({ isDone }) => !isDone);
  }

  /** Answers when nothing waits any more. */
  answer(): boolean {
    const { subscriber } = this;
    if (this.waiting.length > 0 || subscriber === undefined) return false;
    const refused = this.#refused;
    subscriber.next({ delivered: this.#count - refused.length, duplicates: 0, refused });
    subscriber.complete();
    return true;
  }
}
