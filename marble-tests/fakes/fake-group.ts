import { concat, defer, EMPTY, map, NEVER, Observable, of, Subject, switchMap, takeUntil } from 'rxjs';
import type {
  AssignedPartition,
  ConsumerEvent,
  ConsumerOptions,
  Kafka,
  KafkaConsumer,
  TopicPartition,
} from '../../src/model/kafka.js';
import type { Call, FakeBroker } from './fake-broker.js';
import type { Seeded } from '../../src/testing/seeded.js';
import type { VirtualClock } from '../../src/testing/virtual-clock.js';

const MAX_FETCHED = 5;
const RETRY_FETCH_MS = 10;

/** One consumer of a process, in the group. */
interface Member {
  readonly name: string;
  /** Hears of a new division, at some time. */
  readonly divided: Subject<readonly TopicPartition[]>;
}

/** A consumer group that reads some partitions. Members may hear of a new division long after it was made. */
export class FakeGroup {
  readonly #partitions: readonly TopicPartition[];
  readonly #groupId: string;
  readonly #broker: FakeBroker;
  readonly #clock: VirtualClock;
  readonly #random: Seeded;
  #members: readonly Member[] = [];
  #names = 0;

  constructor(
    groupId: string,
    partitions: readonly TopicPartition[],
    broker: FakeBroker,
    clock: VirtualClock,
    random: Seeded,
  ) {
    this.#groupId = groupId;
    this.#partitions = partitions;
    this.#broker = broker;
    this.#clock = clock;
    this.#random = random;
  }

  /** `call`: that of the process. Whoever is not subscribed any more is out after a while. */
  consume(call: Call): Kafka['consume'] {
    return (_, options) =>
      new Observable<KafkaConsumer>((subscriber) => {
        const member: Member = { name: `m${++this.#names}`, divided: new Subject() };
        this.#divide([...this.#members, member]);
        subscriber.next(this.#consumer(member, call, options));
        return () => this.#clock.schedule(() => this.#leave(member), this.#random.pick([0, 20, 100]));
      });
  }

  #leave(member: Member): void {
    if (this.#members.includes(member)) this.#divide(this.#members.filter((other) => other !== member));
  }

  #divide(members: readonly Member[]): void {
    this.#members = members;
    members.forEach((member, at) => {
      const own = this.#partitions.filter((_, number) => number % members.length === at);
      // Now and then somebody does not hear of it for long, and goes on.
      const delayMs = this.#random.chance(0.2) ? 300 : this.#random.below(20);
      this.#clock.schedule(() => {
        // Of several divisions it hears of the last one.
        if (this.#members === members) member.divided.next(own);
      }, delayMs);
    });
  }

  #consumer(member: Member, call: Call, { claim = () => EMPTY }: ConsumerOptions): KafkaConsumer {
    const over = new Subject<void>();
    const fetches = new Map<string, Fetching>();
    const key = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
    const fetched = new Subject<ConsumerEvent>();
    const assigned = (partitions: readonly TopicPartition[]): Observable<ConsumerEvent> =>
      concat(
        of<ConsumerEvent>({ kind: 'rebalancing' }),
        claim(partitions),
        call('offsets', () => partitions.map((each) => this.#assigned(each))).pipe(
          map((all): ConsumerEvent => ({ kind: 'assigned', member: member.name, partitions: all })),
        ),
      );
    const start = (where: TopicPartition, offset: number): void => {
      fetches.get(key(where))?.stop();
      fetches.set(key(where), new Fetching(where, offset, this.#broker, this.#clock, (event) => fetched.next(event)));
    };
    return {
      events: new Observable((subscriber) => {
        subscriber.add(fetched.subscribe(subscriber));
        subscriber.add(
          member.divided
            .pipe(
              switchMap((partitions) => {
                for (const each of fetches.values()) each.stop();
                return assigned(partitions);
              }),
              takeUntil(over),
            )
            .subscribe({ next: (event) => subscriber.next(event), error: (error: unknown) => subscriber.error(error) }),
        );
        return () => {
          for (const each of fetches.values()) each.stop();
        };
      }),
      start,
      pause: (where) => fetches.get(key(where))?.pause(true),
      resume: (where) => fetches.get(key(where))?.pause(false),
      commit: () => NEVER,
      leave: () =>
        defer(() => {
          over.next();
          this.#leave(member);
          return EMPTY;
        }),
    };
  }

  #assigned(where: TopicPartition): AssignedPartition {
    const committed = this.#broker.offsetOf(this.#groupId, where);
    return {
      ...where,
      committed: committed?.offset,
      metadata: committed?.metadata,
      low: 0,
      high: this.#broker.stable(where),
    };
  }
}

/** The fetches of a partition, one after the other. */
class Fetching {
  #offset: number;
  #isPaused = false;
  #isStopped = false;
  readonly #where: TopicPartition;
  readonly #broker: FakeBroker;
  readonly #clock: VirtualClock;
  readonly #emit: (event: ConsumerEvent) => void;

  constructor(
    where: TopicPartition,
    offset: number,
    broker: FakeBroker,
    clock: VirtualClock,
    emit: (event: ConsumerEvent) => void,
  ) {
    this.#where = where;
    this.#offset = offset;
    this.#broker = broker;
    this.#clock = clock;
    this.#emit = emit;
    this.#fetchLater(1);
  }

  stop(): void {
    this.#isStopped = true;
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  #fetchLater(ms: number): void {
    this.#clock.schedule(() => this.#fetch(), ms);
  }

  #fetch(): void {
    if (this.#isStopped) return;
    const high = this.#broker.stable(this.#where);
    const next = Math.min(high, this.#offset + MAX_FETCHED);
    if (this.#isPaused || next === this.#offset) {
      this.#fetchLater(RETRY_FETCH_MS);
      return;
    }
    const messages = this.#broker
      .committed(this.#where)
      .filter(({ offset }) => offset >= this.#offset && offset < next);
    const from = this.#offset;
    this.#offset = next;
    this.#emit({ kind: 'fetched', ...this.#where, from, next, high, messages });
    this.#fetchLater(1);
  }
}
