import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  of,
  switchMap,
  throwError,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { Checkpoint, CheckpointStore } from '../../model/checkpoint.js';
import { MillraceError, messageOf } from '../../model/errors.js';
import type {
  Kafka,
  KafkaCompression,
  KafkaConnection,
  NewTopic,
  TopicDescription,
  TransactionalProducer,
} from '../../model/kafka.js';
import type { Staged, Transactions, TransactionsResource } from '../../model/transactions.js';
import { COMPACTED_TOPIC } from './compacted-topic.js';
import { CheckpointRecords } from './checkpoint-records.js';
import { latestRecords } from './latest-records.js';
import { requestsOf } from './requests.js';
import { Staging } from './staging.js';

/** Where a pipeline's transactions go. */
export interface TransactionTarget {
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly compression: KafkaCompression;
  readonly createTopic?: NewTopic | undefined;
  /** What is larger in one request and partition the brokers refuse. */
  readonly maxMessageBytes: number;
}

/** What transactions of a pipeline need beside it. */
export interface PipelineTransactionsConfig extends TransactionTarget {
  /** Compacted; made when it is missing. */
  readonly stateTopic: string;
  /** What is loaded when the state topic has nothing: where the pipeline was before it had transactions. */
  readonly before: CheckpointStore;
  /** A name for this life of the pipeline that no other has. */
  readonly mint: () => string;
}

/**
 * Transactions for sources whose positions are our own, files above all: a pipeline has one transactional id, and its
 * checkpoint goes into a compacted topic, in the transaction of the output that it speaks of.
 *
 * Opening takes the id over first, so that nobody else can commit, and then reads what was committed.
 *
 * - MILLRACE_E_KAFKA_FENCED: another process runs a pipeline of this name now. MILLRACE_E_KAFKA_TRANSACTION: anything
 *   else; both are final for this life of the pipeline.
 */
export function pipelineTransactions(config: PipelineTransactionsConfig, kafka: Kafka): TransactionsResource {
  const { connection, topic, createTopic, stateTopic, compression } = config;
  return {
    name: `transactions of ${topic}`,
    open: ({ pipeline }) =>
      kafka.describe(connection, { topic: stateTopic, createTopic: COMPACTED_TOPIC }).pipe(
        switchMap(() => kafka.describe(connection, { topic, createTopic })),
        switchMap((description) =>
          kafka
            .transact(connection, { transactionalId: pipeline, compression })
            .pipe(map((producer) => new PipelineTransactions(config, kafka, pipeline, producer, description))),
        ),
      ),
  };
}

class PipelineTransactions implements Transactions {
  readonly topic: TopicDescription;
  readonly store: CheckpointStore = { load: () => this.#load(), save: (checkpoint) => this.#save(checkpoint) };
  readonly #config: PipelineTransactionsConfig;
  readonly #kafka: Kafka;
  readonly #pipeline: string;
  readonly #producer: TransactionalProducer;
  readonly #staging = new Staging();
  readonly #records: CheckpointRecords;
  readonly #owner: string;

  constructor(
    config: PipelineTransactionsConfig,
    kafka: Kafka,
    pipeline: string,
    producer: TransactionalProducer,
    topic: TopicDescription,
  ) {
    this.#config = config;
    this.#kafka = kafka;
    this.#pipeline = pipeline;
    this.#producer = producer;
    this.#records = new CheckpointRecords(pipeline);
    this.#owner = config.mint();
    this.topic = topic;
  }

  stage(staged: Staged): void {
    this.#staging.stage(staged);
  }

  settled(lane: string, position: number): void {
    this.#staging.settled(lane, position);
  }

  #load(): Observable<Checkpoint | undefined> {
    return this.#stateOf(this.#records).pipe(
      switchMap((found) => (found === undefined ? this.#config.before.load() : of(found.checkpoint))),
    );
  }

  #stateOf(records: CheckpointRecords): Observable<ReturnType<CheckpointRecords['read']>> {
    const { connection, stateTopic } = this.#config;
    return this.#kafka.read(connection, { topic: stateTopic, partition: 0 }).pipe(
      latestRecords(this.#pipeline),
      map((latest) => records.read(latest)),
    );
  }

  #save(checkpoint: Checkpoint): Observable<never> {
    // Taken now: what settles later is not in this checkpoint.
    const ready = this.#staging.ready;
    const { topic, stateTopic, maxMessageBytes } = this.#config;
    const write = defer(() => {
      const output = { topic, messages: ready.flatMap(({ messages }) => messages) };
      const state = { topic: stateTopic, messages: this.#records.changes(checkpoint, this.#owner) };
      if (output.messages.length + state.messages.length === 0) return EMPTY;
      const limit = Math.min(maxMessageBytes, this.topic.maxMessageBytes ?? Infinity);
      const send = from(requestsOf([output, state], limit)).pipe(concatMap((request) => this.#producer.send(request)));
      return concat(send, this.#producer.commit());
    });
    const done = defer(() => {
      for (const each of ready) this.#staging.committed(each);
      return EMPTY;
    });
    return concat(write, done).pipe(
      ignoreElements(),
      catchError((error: unknown) => this.#failed(error)),
    );
  }

  #failed(error: unknown): Observable<never> {
    const failure = new MillraceError('MILLRACE_E_KAFKA_TRANSACTION', messageOf(error), { cause: error });
    if (!(error instanceof MillraceError) || error.code !== 'MILLRACE_E_KAFKA_FENCED') return throwError(() => failure);
    // A transaction that took too long is aborted, and its producer fenced, although nobody else is there.
    return this.#stateOf(new CheckpointRecords(this.#pipeline)).pipe(
      catchError(() => throwError(() => failure)),
      switchMap((found) =>
        throwError(() =>
          found === undefined || found.owner === this.#owner
            ? failure
            : new MillraceError('MILLRACE_E_KAFKA_FENCED', `a pipeline ${this.#pipeline} runs elsewhere`, {
                cause: error,
              }),
        ),
      ),
    );
  }
}
