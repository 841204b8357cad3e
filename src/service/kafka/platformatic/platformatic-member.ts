import { Admin, Consumer, FetchIsolationLevels } from '@platformatic/kafka';
import { defer, ignoreElements, Observable } from 'rxjs';
import { MillraceError } from '../../../model/errors.js';
import type {
  AssignedPartition,
  ConsumerEvent,
  ConsumerOptions,
  GroupOffset,
  KafkaConnection,
  KafkaConsumer,
  TopicPartition,
} from '../../../model/kafka.js';
import { ofMember, rebalanceMs } from '../joining.js';
import { kafkaError } from '../kafka-error.js';
import { TopicPatterns } from '../topic-patterns.js';
import { closeQuietly, connecting } from './connecting.js';
import { Fetching } from './fetching.js';
import { commitAs } from './requests.js';
import type { Membership } from './requests.js';

const EARLIEST = -2n;
const LATEST = -1n;

type Assignments = NonNullable<Consumer['assignments']>;

/** A member of a consumer group, until the client gives it up. */
export class PlatformaticMember implements KafkaConsumer {
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #topics: TopicPatterns;
  #fetching: Fetching | undefined;
  /** Counts assignments: what was begun under an older one comes to nothing. */
  #generation = 0;
  /** As whom we commit; undefined between a division of the group and the next. */
  #membership: Membership | undefined;

  constructor(connection: KafkaConnection, { groupId, topics, sessionTimeoutMs }: ConsumerOptions) {
    // Nothing is tried a second time: whoever uses the port makes a new member, and knows then that it is another one.
    const asked = connecting(ofMember(connection, sessionTimeoutMs), 0);
    this.#admin = new Admin(asked);
    this.#topics = new TopicPatterns(topics, () => this.#admin.listTopics({}));
    this.#consumer = new Consumer({
      ...asked,
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceMs(sessionTimeoutMs),
      heartbeatInterval: Math.min(3000, Math.floor(sessionTimeoutMs / 5)),
      autocommit: false,
    });
  }

  async connect(): Promise<this> {
    try {
      this.#consumer.topics.trackAll(...(await this.#topics.subscribed()));
      await this.#consumer.connectToBrokers();
    } catch (error) {
      this.close();
      throw error;
    }
    return this;
  }

  close(): void {
    this.#fetching?.end();
    closeQuietly(this.#consumer);
    closeQuietly(this.#admin);
  }

  get events(): Observable<ConsumerEvent> {
    return new Observable((subscriber) => {
      const emit = (event: ConsumerEvent): void => subscriber.next(event);
      const fail = (error: unknown): void => subscriber.error(kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME'));
      const fetching = new Fetching(this.#consumer, emit, fail);
      this.#fetching = fetching;
      this.#listen(fetching, emit, fail);
      const endLooking = this.#lookForTopics(emit, fail);
      this.#consumer.joinGroup({}).catch(fail);
      return () => {
        endLooking();
        fetching.end();
      };
    });
  }

  start(where: TopicPartition, offset: number): void {
    this.#fetching?.start(where, offset);
  }

  pause(where: TopicPartition): void {
    this.#fetching?.pause(where);
  }

  resume(where: TopicPartition): void {
    this.#fetching?.resume(where);
  }

  commit(offsets: readonly GroupOffset[]): Observable<never> {
    const commit = async (): Promise<void> => {
      if (this.#membership === undefined) throw new MillraceError('MILLRACE_E_KAFKA_GENERATION');
      try {
        await commitAs(this.#consumer, this.#membership, offsets);
      } catch (error) {
        throw kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME');
      }
    };
    return defer(commit).pipe(ignoreElements());
  }

  leave(): Observable<never> {
    this.#membership = undefined;
    this.#fetching?.end();
    return defer(() => this.#consumer.close()).pipe(ignoreElements());
  }

  #listen(fetching: Fetching, emit: (event: ConsumerEvent) => void, fail: (error: unknown) => void): void {
    const divided = (): void => {
      emit({ kind: 'rebalancing' });
      this.#membership = undefined;
      fetching.forgetAll();
    };
    this.#consumer.on('consumer:group:rebalance', divided);
    this.#consumer.on('consumer:group:join', ({ memberId, generationId = 0, assignments = [] }) => {
      // A member that was thrown out joins again without a word.
      if (this.#membership !== undefined) divided();
      this.#assigned({ memberId, generationId }, assignments).then((event) => {
        if (event !== undefined) emit(event);
      }, fail);
    });
    this.#consumer.on('consumer:heartbeat:end', () => {
      if (fetching.isIdle) emit({ kind: 'alive' });
    });
    this.#consumer.on('error', fail);
    this.#consumer.on('consumer:heartbeat:error', ({ error }) => {
      // What is forbidden stays so for a while; anything else is tried again.
      const named = kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME');
      if (named.code === 'MILLRACE_E_KAFKA_AUTH') fail(named);
    });
    this.#consumer.on('consumer:heartbeat:stalled', ({ lastError }) => fail(lastError));
  }

  /** For the topics that match now a new member is needed. */
  #lookForTopics(emit: (event: ConsumerEvent) => void, fail: (error: unknown) => void): () => void {
    return this.#topics.watch(async (now) => {
      // What is settled can be committed until the member has left.
      emit({ kind: 'rebalancing' });
      await this.#consumer.close();
      fail(new MillraceError('MILLRACE_E_KAFKA_TOPICS_CHANGED', now));
    });
  }

  /** Nothing of the partitions is fetched until the offsets are known and somebody has said where to begin. */
  async #assigned(membership: Membership, assignments: Assignments): Promise<ConsumerEvent | undefined> {
    const generation = ++this.#generation;
    const partitions = await this.#offsetsOf(assignments.filter((each) => each.partitions.length > 0));
    if (generation !== this.#generation) return undefined;
    this.#membership = membership;
    return { kind: 'assigned', member: membership.memberId, partitions };
  }

  async #offsetsOf(assignments: Assignments): Promise<AssignedPartition[]> {
    if (assignments.length === 0) return [];
    const topics = assignments.map(({ topic }) => topic);
    // A log ends where its last message is, decided or not.
    const isolationLevel = FetchIsolationLevels.READ_UNCOMMITTED;
    const [lows, highs, committed] = await Promise.all([
      this.#consumer.listOffsets({ topics, timestamp: EARLIEST }),
      this.#consumer.listOffsets({ topics, timestamp: LATEST, isolationLevel }),
      this.#consumer.listCommittedOffsets({ topics: assignments }),
    ]);
    return assignments.flatMap(({ topic, partitions }) =>
      partitions.map((partition): AssignedPartition => {
        const offset = Number(committed.get(topic)?.[partition] ?? -1);
        return {
          topic,
          partition,
          low: Number(lows.get(topic)?.[partition] ?? 0),
          high: Number(highs.get(topic)?.[partition] ?? 0),
          committed: offset < 0 ? undefined : offset,
        };
      }),
    );
  }
}
