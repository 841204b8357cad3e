import {
  catchError,
  combineLatest,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  merge,
  Observable,
  of,
  Subject,
  switchMap,
  takeUntil,
  throwError,
  toArray,
} from 'rxjs';
import type { Checkpoint, CheckpointStore } from '../../model/checkpoint.js';
import { isTransient, MillraceError, messageOf } from '../../model/errors.js';
import type { Json } from '../../model/json.js';
import type {
  ClaimedLane,
  GroupOffset,
  Kafka,
  PartitionOffset,
  TopicDescription,
  TransactionalProducer,
} from '../../model/kafka.js';
import type { Staged, Transactions, TransactionsResource } from '../../model/transactions.js';
import { COMPACTED_TOPIC } from './compacted-topic.js';
import { LaneStateWriter } from './lane-states.js';
import type { TransactionTarget } from './pipeline-transactions.js';
import { requestsOf } from './requests.js';
import { Staging } from './staging.js';
import type { Ready } from './staging.js';

/** What transactions of lanes need beside the pipeline. */
export interface LaneTransactionsConfig extends TransactionTarget {
  readonly groupId: string;
  /** The rest of the checkpoint: what other sinks and stages have to know. */
  readonly store: CheckpointStore;
  /** Set: the state of each lane is kept here, and what is committed with its offset says where. */
  readonly states?: LaneStatesConfig | undefined;
}

interface LaneStatesConfig {
  readonly topic: string;
  /** A name that no other claim of a lane has. */
  readonly mint: () => string;
}

/** A lane that is ours, from its claim to the next. */
interface Claim {
  readonly lane: ClaimedLane;
  readonly gone: Subject<void>;
  producer: TransactionalProducer | undefined;
  /** From when the checkpoint has the lane. */
  states: LaneStateWriter | undefined;
  isGone: boolean;
}

/**
 * Transactions for the partitions of a consumer group: each lane has its own, with the transactional id
 * pipeline/topic/partition, and commits the group's offset with its output. The broker takes offsets from whoever sends
 * them; that the id was taken over is what keeps a member that lost the partition from committing.
 *
 * The rest of the checkpoint is saved first: it may be ahead of the group's offsets, never behind. With `states` the
 * state of a lane is in its transaction as well; until its first batch a lane's state in the checkpoint is the text that
 * its predecessor has committed, for `loadLaneState`.
 *
 * - MILLRACE_E_KAFKA_TRANSACTION: final for this life of the pipeline; who joins the group again goes on from what is
 *   committed.
 */
export function laneTransactions(config: LaneTransactionsConfig, kafka: Kafka): TransactionsResource {
  const { connection, topic, createTopic, states } = config;
  const stateTopic =
    states === undefined
      ? of(undefined)
      : kafka.describe(connection, { topic: states.topic, createTopic: COMPACTED_TOPIC });
  return {
    name: `transactions of ${topic}`,
    open: ({ pipeline }) =>
      combineLatest([kafka.describe(connection, { topic, createTopic }), stateTopic]).pipe(
        switchMap(
          ([description, ofStates]) =>
            new Observable<Transactions>((subscriber) => {
              const partitions = ofStates?.partitions ?? 1;
              const transactions = new LaneTransactions(config, kafka, pipeline, description, partitions);
              subscriber.add(() => transactions.release());
              subscriber.next(transactions);
            }),
        ),
      ),
  };
}

function failure(error: unknown): MillraceError {
  return new MillraceError('MILLRACE_E_KAFKA_TRANSACTION', messageOf(error), { cause: error });
}

class LaneTransactions implements Transactions {
  readonly topic: TopicDescription;
  readonly store: CheckpointStore;
  readonly #config: LaneTransactionsConfig;
  readonly #kafka: Kafka;
  readonly #pipeline: string;
  readonly #staging = new Staging();
  readonly #claims = new Map<string, Claim>();
  readonly #statePartitions: number;

  constructor(
    config: LaneTransactionsConfig,
    kafka: Kafka,
    pipeline: string,
    topic: TopicDescription,
    statePartitions: number,
  ) {
    this.#statePartitions = statePartitions;
    this.#config = config;
    this.#kafka = kafka;
    this.#pipeline = pipeline;
    this.topic = topic;
    this.store = { load: () => config.store.load(), save: (checkpoint) => this.#save(checkpoint) };
  }

  stage(staged: Staged): void {
    this.#staging.stage(staged);
  }

  settled(lane: string, position: number): void {
    this.#staging.settled(lane, position);
  }

  claim(lanes: readonly ClaimedLane[]): Observable<never> {
    return defer(() => {
      this.release();
      return merge(...lanes.map((lane) => this.#claim(lane)));
    });
  }

  /** Nothing is ours any more. */
  release(): void {
    for (const [id, claim] of this.#claims) {
      claim.isGone = true;
      claim.gone.next();
      this.#staging.drop(id);
    }
    this.#claims.clear();
  }

  /** Completes when the id is ours. The producer stays open until the claim is gone. */
  #claim(lane: ClaimedLane): Observable<never> {
    const { connection, compression } = this.#config;
    const transactionalId = `${this.#pipeline}/${lane.topic}/${lane.partition}`;
    return new Observable((subscriber) => {
      const claim: Claim = { lane, gone: new Subject(), producer: undefined, states: undefined, isGone: false };
      this.#claims.set(lane.lane, claim);
      this.#kafka
        .transact(connection, { transactionalId, compression })
        .pipe(takeUntil(claim.gone))
        .subscribe({
          next: (producer) => {
            claim.producer = producer;
            subscriber.complete();
          },
          // Also when somebody else claims the lane at the same time: whose it is, the group says at the next start.
          error: (error: unknown) => subscriber.error(isTransient(error) ? error : failure(error)),
          complete: () => subscriber.complete(),
        });
    });
  }

  #save(checkpoint: Checkpoint): Observable<never> {
    // Taken now: what settles later is not in this checkpoint.
    this.#beginStates(checkpoint);
    const due = this.#staging.ready.flatMap((ready) => {
      const claim = this.#claims.get(ready.lane);
      const state = checkpoint.lanes.get(ready.lane)?.state ?? null;
      return claim === undefined ? [] : [this.#commit(ready, state, claim)];
    });
    return concat(this.#config.store.save(checkpoint), merge(...due)).pipe(ignoreElements());
  }

  /** A lane is in the checkpoint before anything of it is delivered: then its state is what was committed before. */
  #beginStates({ lanes }: Checkpoint): void {
    const { states } = this.#config;
    if (states === undefined) return;
    for (const [id, claim] of this.#claims) {
      const saved = lanes.get(id);
      if (claim.states !== undefined || saved === undefined) continue;
      const before = typeof saved.state === 'string' ? saved.state : undefined;
      const partition = claim.lane.partition % this.#statePartitions;
      claim.states = new LaneStateWriter(id, states.mint(), partition, before);
    }
  }

  #commit(ready: Ready, state: Json, claim: Claim): Observable<never> {
    const { groupId, topic, maxMessageBytes, states } = this.#config;
    const limit = Math.min(maxMessageBytes, this.topic.maxMessageBytes ?? Infinity);
    const write = defer(() => {
      const { producer, lane } = claim;
      if (producer === undefined || claim.isGone) return EMPTY;
      const next = state === null ? undefined : claim.states?.next(state);
      const stateTopic = states?.topic ?? '';
      const parts = [
        { topic, messages: ready.messages },
        { topic: stateTopic, messages: next?.messages ?? [] },
      ];
      const offsetOf = (answers: readonly PartitionOffset[]): GroupOffset => {
        const first = answers.find((answer) => answer.topic === stateTopic);
        const metadata = first === undefined ? undefined : next?.textAt(first.offset);
        return { topic: lane.topic, partition: lane.partition, offset: ready.position, metadata };
      };
      return concat(
        from(requestsOf(parts, limit)).pipe(
          concatMap((request) => producer.send(request)),
          toArray(),
          concatMap((answers) => producer.sendOffsets(groupId, [offsetOf(answers.flat())])),
        ),
        producer.commit(),
        defer(() => {
          this.#staging.committed(ready);
          return EMPTY;
        }),
      );
    });
    return write.pipe(
      ignoreElements(),
      catchError((error: unknown) => throwError(() => failure(error))),
      // Somebody else goes on from what is committed, perhaps ourselves.
      takeUntil(claim.gone),
    );
  }
}
