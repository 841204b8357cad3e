import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin, KafkaMessage } from 'kafkajs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

const hasBoth = major > 24 || (major === 24 && minor >= 6) || (major === 22 && minor >= 22);
const wanted = process.env['KAFKA_CLIENTS']?.split(',');

/** The packages that speak to Kafka; the second needs a newer Node. */
export const KAFKA_CLIENTS: readonly string[] = wanted ?? ['kafkajs', ...(hasBoth ? ['platformatic'] : [])];

/** For faults that take minutes: the others are tried with KAFKA_CLIENTS=platformatic. */
export const USUAL_CLIENTS: readonly string[] = wanted ?? ['kafkajs'];

let count = 0;

/** A message as a test looks at it. */
export interface Read {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | undefined;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

function readOf(partition: number, { offset, key, value, headers = {} }: KafkaMessage): Read {
  const texts = Object.entries(headers).map(([name, text]): [string, string] => [name, String(text)]);
  return {
    partition,
    offset: Number(offset),
    key: key?.toString(),
    value: value?.toString() ?? '',
    headers: Object.fromEntries(texts),
  };
}

/** What tests do with topics, by the bare client. */
export class Topics {
  readonly client: Kafka;

  constructor(brokers: readonly string[]) {
    this.client = new Kafka({
      brokers: [...brokers],
      clientId: 'test',
      logLevel: logLevel.NOTHING,
      retry: { retries: 20 },
    });
  }

  /** A new topic with a name that no other test has. */
  async create(partitions: number, settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = `test-${process.pid}-${Date.now()}-${++count}`;
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await this.make(topic, partitions, configEntries);
    return topic;
  }

  /** Makes a topic, and waits until it has leaders. */
  async make(topic: string, partitions = 1, configEntries: { name: string; value: string }[] = []): Promise<void> {
    await this.admin(async (admin) => {
      await admin.createTopics({
        topics: [{ topic, numPartitions: partitions, configEntries }],
        waitForLeaders: false,
      });
      const isThere = async (): Promise<boolean> => {
        // In a cluster of several some do not know of it yet.
        const found = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => ({ topics: [] }));
        return found.topics[0]?.partitions.every(({ leader }) => leader >= 0) ?? false;
      };
      for (let tries = 0; tries < 300 && !(await isThere()); tries++) await wait(50);
    });
  }

  async admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.client.admin();
    await admin.connect();
    try {
      return await whenCoordinated(() => use(admin));
    } finally {
      await admin.disconnect();
    }
  }

  /** One after the last offset, over all partitions. */
  async size(topic: string): Promise<number> {
    const ends = await this.admin((admin) => admin.fetchTopicOffsets(topic));
    return ends.reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** What the group has committed, by partition; -1 where it has nothing. */
  async committed(groupId: string, topic: string): Promise<number[]> {
    const [found] = await this.admin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    const sorted = [...(found?.partitions ?? [])].sort((a, b) => a.partition - b.partition);
    return sorted.map(({ offset }) => Number(offset));
  }

  async send(
    topic: string,
    messages: readonly {
      key?: string | null;
      value: string | Buffer | null;
      partition?: number;
      headers?: Record<string, string>;
    }[],
  ): Promise<void> {
    // Or what a broker that has just begun does not answer in time would be there twice.
    const producer = this.client.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (let at = 0; at < messages.length; at += 1000)
      await producer.send({ topic, messages: messages.slice(at, at + 1000) });
    await producer.disconnect();
  }

  /** Everything that the topic holds now, in the order of each partition. */
  async readAll(topic: string): Promise<Read[]> {
    return this.#read(topic, readOf);
  }

  /** The values of all messages as they are. */
  async readBytes(topic: string): Promise<Buffer[]> {
    return this.#read(topic, (_, { value }) => value ?? Buffer.alloc(0));
  }

  async #read<T>(topic: string, as: (partition: number, message: KafkaMessage) => T): Promise<T[]> {
    const ends = await this.admin((admin) => admin.fetchTopicOffsets(topic));
    const wanted = new Map(
      ends.filter(({ high, low }) => Number(high) > Number(low)).map((end) => [end.partition, Number(end.high)]),
    );
    const all: T[] = [];
    if (wanted.size === 0) return all;
    const consumer = this.client.consumer({ groupId: `read-${topic}-${++count}`, maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) all.push(as(batch.partition, message));
        if (Number(batch.lastOffset()) + 1 >= (wanted.get(batch.partition) ?? Infinity)) wanted.delete(batch.partition);
      },
    });
    const deadline = performance.now() + 30_000;
    while (wanted.size > 0 && performance.now() < deadline) await wait(20);
    await consumer.disconnect();
    if (wanted.size > 0) throw new Error(`${topic}: partitions ${[...wanted.keys()].join()} were not read to the end`);
    return all;
  }
}

/** A broker that has begun just now may say for a moment that it is not the one that keeps the offsets of a group. */
async function whenCoordinated<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const { type } = error as { readonly type?: unknown };
      const isEarly = type === 'NOT_COORDINATOR_FOR_GROUP' || type === 'GROUP_LOAD_IN_PROGRESS';
      if (!isEarly || tries === 50) throw error;
      await wait(100);
    }
  }
}
