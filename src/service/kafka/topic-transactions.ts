import { setTimeout as wait } from 'node:timers/promises';
import { defer, ignoreElements } from 'rxjs';
import type { Observable } from 'rxjs';
import { isTransient } from '../../model/errors.js';
import type {
  GroupOffset,
  KafkaConnection,
  PartitionOffset,
  TransactionalMessage,
  TransactionalOptions,
  TransactionalProducer,
} from '../../model/kafka.js';
import { answeredOf, asAddressed } from './client-message.js';
import { kafkaError } from './kafka-error.js';
import { clientOf, COMPRESSION, leaveQuietly } from './kafkajs.js';
import type { Message, Producer, Transaction } from './kafkajs.js';
import { refuseUnanswered } from './unanswered.js';

/**
 * The broker refuses a new transaction until the markers of the last one are written, a few milliseconds. With the
 * client's own first wait of 300 ms there are 6 transactions a second.
 */
const RETRY = { initialRetryTime: 2, maxRetryTime: 1000, retries: 20 } as const;

/** Longer than any commit takes; what a process leaves open that has died hides later messages for so long. */
const TRANSACTION_TIMEOUT_MS = 60_000;

/** Groups messages by topic, in their order. */
function byTopic(messages: readonly TransactionalMessage[]): Map<string, TransactionalMessage[]> {
  const topics = new Map<string, TransactionalMessage[]>();
  for (const message of messages) {
    const others = topics.get(message.topic);
    if (others === undefined) topics.set(message.topic, [message]);
    else others.push(message);
  }
  return topics;
}

/** A producer of transactions, for as long as nothing fails. */
export class TopicTransactions implements TransactionalProducer {
  readonly #options: TransactionalOptions;
  readonly #producer: Producer;
  #transaction: Promise<Transaction> | undefined;

  constructor(connection: KafkaConnection, options: TransactionalOptions) {
    this.#options = options;
    this.#producer = clientOf(connection, RETRY).producer({
      transactionalId: options.transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: asAddressed,
      retry: RETRY,
    });
  }

  /** Takes the id over. */
  async connect(): Promise<this> {
    try {
      await this.#producer.connect();
      // Asks for the id; the brokers hear of a transaction with its first message.
      await this.#begun();
    } catch (error) {
      leaveQuietly(Promise.resolve(this.#producer));
      throw error;
    }
    return this;
  }

  close(): void {
    const left = this.#transaction;
    const aborted = async (): Promise<Producer> => {
      // Who reads what is committed would wait for its end.
      await (await left)?.abort();
      return this.#producer;
    };
    leaveQuietly(aborted().catch(() => this.#producer));
  }

  send(messages: readonly TransactionalMessage[]): Observable<readonly PartitionOffset[]> {
    return defer(() => this.#do((transaction) => this.#send(transaction, messages)));
  }

  sendOffsets(groupId: string, offsets: readonly GroupOffset[]): Observable<never> {
    const topics = offsets.map(({ topic, partition, offset, metadata = '' }) => ({
      topic,
      partitions: [{ partition, offset: String(offset), metadata }],
    }));
    const send = (transaction: Transaction): Promise<void> =>
      patiently(() => transaction.sendOffsets({ consumerGroupId: groupId, topics }));
    return defer(() => this.#do(send)).pipe(ignoreElements());
  }

  commit(): Observable<never> {
    const commit = async (transaction: Transaction): Promise<void> => {
      await transaction.commit();
      this.#transaction = undefined;
    };
    return defer(() => this.#do(commit)).pipe(ignoreElements());
  }

  async #do<T>(what: (transaction: Transaction) => Promise<T>): Promise<T> {
    try {
      return await what(await this.#begun());
    } catch (error) {
      throw kafkaError(error, 'MILLRACE_E_KAFKA_PRODUCE');
    }
  }

  #begun(): Promise<Transaction> {
    return (this.#transaction ??= this.#producer.transaction());
  }

  async #send(transaction: Transaction, messages: readonly TransactionalMessage[]): Promise<PartitionOffset[]> {
    const topicMessages = [...byTopic(messages)].map(([topic, some]) => ({
      topic,
      // They are encoded by ours, which takes any bytes.
      messages: some as unknown as Message[],
    }));
    const answers = await transaction.sendBatch({
      acks: -1,
      compression: COMPRESSION[this.#options.compression],
      topicMessages,
    });
    refuseUnanswered(messages, answers.map(answeredOf));
    return answers.map(({ topicName, partition, baseOffset }) => ({
      topic: topicName,
      partition,
      offset: Number(baseOffset),
    }));
  }
}

/** The client itself tries again only with messages. */
async function patiently(send: () => Promise<void>): Promise<void> {
  let waitMs: number = RETRY.initialRetryTime;
  for (let tries = 1; ; tries++) {
    try {
      await send();
      return;
    } catch (error) {
      const isWaiting = (error as { readonly type?: string }).type === 'CONCURRENT_TRANSACTIONS';
      if (tries > RETRY.retries || !(isWaiting || isTransient(kafkaError(error, 'MILLRACE_E_KAFKA_PRODUCE')))) {
        throw error;
      }
    }
    await wait(waitMs);
    waitMs = Math.min(waitMs * 2, RETRY.maxRetryTime);
  }
}
