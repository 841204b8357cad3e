import { defer, firstValueFrom, ignoreElements, Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type {
  AssignedPartition,
  ConsumerEvent,
  ConsumerOptions,
  GroupOffset,
  IncomingMessage,
  KafkaConnection,
  KafkaConsumer,
  TopicPartition,
} from '../../model/kafka.js';
import { incomingMessage } from './client-message.js';
import { ofMember, rebalanceMs } from './joining.js';
import { kafkaError } from './kafka-error.js';
import { clientOf, leaveQuietly, RETRY } from './kafkajs.js';
import { takeCommitOf } from './joined-groups.js';
import type { CommitNow } from './joined-groups.js';
import type { Admin, Consumer, EachBatchPayload } from './kafkajs.js';
import { patternOf, TopicPatterns } from './topic-patterns.js';

/** Fetches come back at least this often, so a partition that goes on is asked for soon. */
const MAX_FETCH_WAIT_MS = 100;

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** Of a partition that nothing was committed of, kafkajs says -1. */
function offsetOf(text: string | undefined): number | undefined {
  const offset = Number(text ?? -1);
  return offset < 0 ? undefined : offset;
}

/** A consumer that has crashed refuses every call; its end comes as an event. */
function whileItRuns(call: () => void): void {
  try {
    call();
  } catch {
    // Nothing is fetched any more.
  }
}

type Assignment = Readonly<Record<string, readonly number[]>>;

/** A member of a consumer group, for as long as kafkajs does not give it up. */
export class GroupMember implements KafkaConsumer {
  readonly #options: ConsumerOptions;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #topics: TopicPatterns;
  /** Where each partition goes on, as kafkajs knows it. */
  readonly #next = new Map<string, number>();
  #commitNow: CommitNow | undefined;
  /** Counts assignments: what was begun under an older one comes to nothing. */
  #generation = 0;
  #isAssigned = false;
  #started: Promise<void> = Promise.resolve();

  constructor(connection: KafkaConnection, options: ConsumerOptions) {
    this.#options = options;
    this.#topics = new TopicPatterns(options.topics, () => this.#admin.listTopics());
    const { groupId, sessionTimeoutMs } = options;
    const client = clientOf(ofMember(connection, sessionTimeoutMs));
    this.#consumer = client.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceMs(sessionTimeoutMs),
      heartbeatInterval: Math.min(3000, Math.floor(sessionTimeoutMs / 5)),
      maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
      metadataMaxAge: 60_000,
      allowAutoTopicCreation: false,
      // Whoever uses the port makes a new member, and knows then that it is another one.
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
    });
    this.#admin = client.admin();
  }

  async connect(): Promise<this> {
    try {
      await this.#admin.connect();
      await this.#consumer.connect();
      await this.#topics.subscribed();
      await this.#consumer.subscribe({ topics: this.#options.topics.map(patternOf), fromBeginning: true });
    } catch (error) {
      this.close();
      throw error;
    }
    return this;
  }

  close(): void {
    leaveQuietly(Promise.resolve({ disconnect: () => this.#disconnect() }));
    leaveQuietly(Promise.resolve(this.#admin));
  }

  get events(): Observable<ConsumerEvent> {
    return new Observable((subscriber) => {
      const emit = (event: ConsumerEvent): void => subscriber.next(event);
      const fail = (error: unknown): void => subscriber.error(kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME'));
      const removers = this.#listen(emit, fail);
      const endLooking = this.#lookForTopics(emit, fail);
      const eachBatch = (payload: EachBatchPayload): Promise<void> => {
        const { batch } = payload;
        // Where the fetch began: not in the types, and what tells whether anything lies between.
        const { fetchedOffset } = batch as unknown as { readonly fetchedOffset: string };
        const next = Number(batch.lastOffset()) + 1;
        const messages = batch.messages.map(incomingMessage);
        const range = { from: Number(fetchedOffset), next, high: Number(batch.highWatermark), messages };
        if (!payload.isStale()) emit(this.#fetched(batch, range));
        return Promise.resolve();
      };
      this.#started = this.#consumer.run({ autoCommit: false, eachBatch }).catch(fail);
      return () => {
        endLooking();
        removers.forEach((remove) => remove());
      };
    });
  }

  start(where: TopicPartition, offset: number): void {
    this.#next.set(keyOf(where), offset);
    whileItRuns(() => this.#consumer.seek({ ...where, offset: String(offset) }));
    this.resume(where);
  }

  pause({ topic, partition }: TopicPartition): void {
    whileItRuns(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
  }

  resume({ topic, partition }: TopicPartition): void {
    whileItRuns(() => this.#consumer.resume([{ topic, partitions: [partition] }]));
  }

  commit(offsets: readonly GroupOffset[]): Observable<never> {
    const commit = async (): Promise<void> => {
      if (!this.#isAssigned || this.#commitNow === undefined) throw new MillraceError('MILLRACE_E_KAFKA_GENERATION');
      const topics = offsets.map(({ topic, partition, offset, metadata }) => ({
        topic,
        partitions: [{ partition, offset: String(offset), ...(metadata === undefined ? {} : { metadata }) }],
      }));
      try {
        await this.#commitNow({ topics });
      } catch (error) {
        throw kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME');
      }
    };
    return defer(commit).pipe(ignoreElements());
  }

  leave(): Observable<never> {
    this.#isAssigned = false;
    return defer(() => this.#disconnect()).pipe(ignoreElements());
  }

  /** While it joins for the first time, kafkajs overlooks that it is to stop: the member would stay in the group for ever. */
  async #disconnect(): Promise<void> {
    await this.#started;
    await this.#consumer.disconnect();
  }

  /** For the topics that match now a new member is needed. */
  #lookForTopics(emit: (event: ConsumerEvent) => void, fail: (error: unknown) => void): () => void {
    return this.#topics.watch(async (now) => {
      // What is settled can be committed until the member has left.
      emit({ kind: 'rebalancing' });
      await this.#consumer.disconnect();
      fail(new MillraceError('MILLRACE_E_KAFKA_TOPICS_CHANGED', now));
    });
  }

  #listen(emit: (event: ConsumerEvent) => void, fail: (error: unknown) => void): (() => void)[] {
    const { GROUP_JOIN, REBALANCING, CRASH, FETCH, END_BATCH_PROCESS } = this.#consumer.events;
    return [
      this.#consumer.on(REBALANCING, () => {
        emit({ kind: 'rebalancing' });
        this.#isAssigned = false;
      }),
      this.#consumer.on(GROUP_JOIN, ({ payload: { memberId, memberAssignment } }) => {
        // A member that was thrown out joins again without a word.
        if (this.#isAssigned) emit({ kind: 'rebalancing' });
        this.#isAssigned = false;
        this.#assigned(memberId, memberAssignment).then((event) => {
          if (event !== undefined) emit(event);
        }, fail);
      }),
      this.#consumer.on(CRASH, ({ payload: { error } }) => fail(error)),
      this.#consumer.on(FETCH, () => emit({ kind: 'alive' })),
      this.#consumer.on(
        END_BATCH_PROCESS,
        ({ payload: { topic, partition, batchSize, lastOffset, highWatermark } }) => {
          // Only markers of transactions: kafkajs shows nothing of them and goes on.
          if (batchSize !== 0) return;
          const from = this.#next.get(keyOf({ topic, partition })) ?? 0;
          const range = { from, next: Number(lastOffset) + 1, high: Number(highWatermark), messages: [] };
          emit(this.#fetched({ topic, partition }, range));
        },
      ),
    ];
  }

  #fetched(
    { topic, partition }: TopicPartition,
    range: { from: number; next: number; high: number; messages: IncomingMessage[] },
  ): ConsumerEvent {
    this.#next.set(keyOf({ topic, partition }), range.next);
    return { kind: 'fetched', topic, partition, ...range };
  }

  /** Nothing of the partitions is fetched until the offsets are known and somebody has said where to begin. */
  async #assigned(member: string, assignment: Assignment): Promise<ConsumerEvent | undefined> {
    const generation = ++this.#generation;
    for (const [topic, partitions] of Object.entries(assignment)) {
      this.#consumer.pause([{ topic, partitions: [...partitions] }]);
    }
    let found: AssignedPartition[][];
    try {
      await this.#claim(assignment);
      found = await Promise.all(
        Object.entries(assignment).map(([topic, partitions]) => this.#offsetsOf(topic, partitions)),
      );
    } finally {
      // Also of a member that is given up: or its group would be remembered for ever. It stays the same over divisions.
      this.#commitNow = takeCommitOf(member) ?? this.#commitNow;
    }
    if (generation !== this.#generation) return undefined;
    this.#isAssigned = true;
    return { kind: 'assigned', member, partitions: found.flat() };
  }

  async #claim(assignment: Assignment): Promise<void> {
    const { claim } = this.#options;
    if (claim === undefined) return;
    const all = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    await firstValueFrom(claim(all), { defaultValue: undefined });
  }

  async #offsetsOf(topic: string, partitions: readonly number[]): Promise<AssignedPartition[]> {
    if (partitions.length === 0) return [];
    const [log, group] = await Promise.all([
      this.#admin.fetchTopicOffsets(topic),
      this.#admin.fetchOffsets({ groupId: this.#options.groupId, topics: [topic] }),
    ]);
    return partitions.map((partition): AssignedPartition => {
      const ends = log.find((each) => each.partition === partition);
      const committed = group[0]?.partitions.find((each) => each.partition === partition);
      const [low, high] = [Number(ends?.low ?? 0), Number(ends?.high ?? 0)];
      const metadata = committed?.metadata ?? undefined;
      return { topic, partition, low, high, committed: offsetOf(committed?.offset), metadata };
    });
  }
}
