import { defer, ignoreElements, map } from 'rxjs';
import type { Observable } from 'rxjs';
import type { KafkaProducer, OutgoingMessage, ProducerOptions } from '../../model/kafka.js';
import { kafkaError } from './kafka-error.js';
import { answeredOf, asAddressed } from './client-message.js';
import { COMPRESSION, leaveQuietly, RETRY } from './kafkajs.js';
import type { Client, Message, Producer } from './kafkajs.js';
import { describeTopic } from './topic-description.js';
import { refuseUnanswered } from './unanswered.js';

/** A producer of one topic. */
export class TopicProducer implements KafkaProducer {
  readonly #client: Client;
  readonly #options: ProducerOptions;
  #producer: Promise<Producer> | undefined;

  constructor(client: Client, options: ProducerOptions) {
    this.#client = client;
    this.#options = options;
  }

  async connect(): Promise<this> {
    await this.#connected();
    return this;
  }

  close(): void {
    if (this.#producer !== undefined) leaveQuietly(this.#producer);
  }

  partitions(): Observable<number> {
    return defer(() => describeTopic(this.#client, this.#options)).pipe(map(({ partitions }) => partitions));
  }

  send(messages: readonly OutgoingMessage[]): Observable<never> {
    return defer(() => this.#send(messages)).pipe(ignoreElements());
  }

  async #connected(): Promise<Producer> {
    const connect = async (): Promise<Producer> => {
      const producer = this.#client.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: asAddressed,
        retry: RETRY,
      });
      try {
        await producer.connect();
      } catch (error) {
        // It may have reached the brokers all the same, and been refused there.
        leaveQuietly(Promise.resolve(producer));
        throw error;
      }
      return producer;
    };
    this.#producer ??= connect();
    return this.#producer;
  }

  async #send(messages: readonly OutgoingMessage[]): Promise<void> {
    const { topic, compression } = this.#options;
    try {
      const producer = await this.#connected();
      // They are encoded by ours, which takes any bytes.
      const list = messages as Message[];
      const answers = await producer.send({ topic, acks: -1, compression: COMPRESSION[compression], messages: list });
      refuseUnanswered(
        messages.map(({ partition }) => ({ topic, partition })),
        answers.map(answeredOf),
      );
    } catch (error) {
      // Its sequence numbers would make the broker take other messages for ones that it has already.
      this.close();
      this.#producer = undefined;
      throw kafkaError(error, 'MILLRACE_E_KAFKA_PRODUCE');
    }
  }
}
