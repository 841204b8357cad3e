import { defer, ignoreElements } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { KafkaProducer, OutgoingMessage, ProducerOptions } from '../../model/kafka.js';
import { kafkaError } from './kafka-error.js';
import { COMPRESSION, leaveQuietly, RETRY } from './kafkajs.js';
import type { Admin, Client, Message, Producer } from './kafkajs.js';

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
    return defer(async () => {
      const admin = this.#client.admin();
      try {
        await admin.connect();
        return await this.#partitions(admin);
      } catch (error) {
        throw kafkaError(error, 'MILLRACE_E_KAFKA_UNREACHABLE');
      } finally {
        leaveQuietly(Promise.resolve(admin));
      }
    });
  }

  send(messages: readonly OutgoingMessage[]): Observable<never> {
    return defer(() => this.#send(messages)).pipe(ignoreElements());
  }

  async #partitions(admin: Admin): Promise<number> {
    const { topic, createTopic } = this.#options;
    if (!(await admin.listTopics()).includes(topic)) {
      if (createTopic === undefined)
        throw new MillraceError('MILLRACE_E_KAFKA_TOPIC', `${topic} (createTopic would make it)`);
      const { partitions, replicas } = createTopic;
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: replicas }] });
    }
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  }

  async #connected(): Promise<Producer> {
    const connect = async (): Promise<Producer> => {
      const producer = this.#client.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
        retry: RETRY,
      });
      await producer.connect();
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
      // When a partition moves to a broker that has answered already, kafkajs leaves its messages out and says nothing.
      const answered = new Set(answers.map(({ partition }) => partition));
      const missing = messages.find(({ partition }) => !answered.has(partition));
      if (missing !== undefined) throw new Error(`no answer for partition ${missing.partition} of ${topic}`);
    } catch (error) {
      // Its sequence numbers would make the broker take other messages for ones that it has already.
      this.close();
      this.#producer = undefined;
      throw kafkaError(error, 'MILLRACE_E_KAFKA_PRODUCE');
    }
  }
}
