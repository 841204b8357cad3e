import { ProduceAcks, Producer } from '@platformatic/kafka';
import { defer, ignoreElements, map } from 'rxjs';
import type { Observable } from 'rxjs';
import type { KafkaConnection, KafkaProducer, OutgoingMessage, ProducerOptions } from '../../../model/kafka.js';
import { kafkaError } from '../kafka-error.js';
import { refuseUnanswered } from '../unanswered.js';
import { closeQuietly, connecting } from './connecting.js';
import { describeTopic } from './topic-description.js';

type Part = string | Uint8Array | null;
type Client = Producer<Part, Part, string, string>;

/** Long enough for a broker that restarts: as long as the same producer tries, nothing is written twice. */
const RETRIES = 20;

function bytesOf(part?: Part): Buffer | undefined {
  if (part === null || part === undefined) return undefined;
  return typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer, part.byteOffset, part.length);
}

/** A producer of one topic. */
export class PlatformaticProducer implements KafkaProducer {
  readonly #connection: KafkaConnection;
  readonly #options: ProducerOptions;
  #producer: Client | undefined;

  constructor(connection: KafkaConnection, options: ProducerOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async connect(): Promise<this> {
    this.#producer = this.#made();
    try {
      // Whoever uses the port tries again itself, and wants to hear why.
      await this.#producer.metadata({ topics: [], retries: 0 });
    } catch (error) {
      this.close();
      throw error;
    }
    return this;
  }

  close(): void {
    if (this.#producer !== undefined) closeQuietly(this.#producer);
  }

  partitions(): Observable<number> {
    return defer(() => describeTopic(this.#connection, this.#options)).pipe(map(({ partitions }) => partitions));
  }

  send(messages: readonly OutgoingMessage[]): Observable<never> {
    return defer(() => this.#send(messages)).pipe(ignoreElements());
  }

  #made(): Client {
    return new Producer<Part, Part, string, string>({
      ...connecting(this.#connection, RETRIES),
      idempotent: true,
      serializers: { key: bytesOf, value: bytesOf, headerKey: bytesOf, headerValue: bytesOf },
    });
  }

  async #send(messages: readonly OutgoingMessage[]): Promise<void> {
    const { topic, compression } = this.#options;
    this.#producer ??= this.#made();
    try {
      const { offsets = [] } = await this.#producer.send({
        acks: ProduceAcks.ALL,
        compression,
        messages: messages.map(({ partition, key, value, headers }) => ({ topic, partition, key, value, headers })),
      });
      refuseUnanswered(
        messages.map(({ partition }) => ({ topic, partition })),
        offsets,
      );
    } catch (error) {
      // Its sequence numbers would make the broker take other messages for ones that it has already.
      this.close();
      this.#producer = undefined;
      throw kafkaError(error, 'MILLRACE_E_KAFKA_PRODUCE');
    }
  }
}
