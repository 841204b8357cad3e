import {
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  of,
  takeUntil,
  tap,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type {
  ConsumerEvent,
  GroupOffset,
  IncomingMessage,
  Kafka,
  KafkaConsumer,
  TopicPartition,
} from '../../src/model/kafka.js';
import type { SourceContext } from '../../src/model/source.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { kafkaSourceOptions } from '../../src/sources/kafka/options.js';
import type { KafkaSourceOptions } from '../../src/sources/kafka/options.js';
import { decodeMessages } from '../../src/sources/kafka/records.js';

const name = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** A member as a port: what it hears is drawn, what it is told is noted with its time. */
class FakeMember implements KafkaConsumer {
  readonly events: Observable<ConsumerEvent>;
  readonly #note: (what: string) => void;
  readonly #answer: () => Observable<never>;

  readonly #leaving: Observable<never>;

  constructor(events: Observable<ConsumerEvent>, note: (what: string) => void, { answer, leaving }: Scene) {
    this.events = events;
    this.#note = note;
    this.#answer = answer ?? (() => EMPTY);
    this.#leaving = leaving ?? EMPTY;
  }

  start(where: TopicPartition, offset: number): void {
    this.#note(`start ${name(where)} at ${offset}`);
  }

  pause(where: TopicPartition): void {
    this.#note(`pause ${name(where)}`);
  }

  resume(where: TopicPartition): void {
    this.#note(`resume ${name(where)}`);
  }

  commit(offsets: readonly GroupOffset[]): Observable<never> {
    return defer(() => {
      this.#note(`commit ${offsets.map((each) => `${name(each)} ${each.offset}`).join(', ')}`);
      return this.#answer();
    });
  }

  leave(): Observable<never> {
    this.#note('leave');
    return this.#leaving;
  }
}

/** Partitions of topic t are this member's: `{ 0: 5 }` is partition 0, committed up to 5; -1: nothing committed. */
export function assigned(committed: Readonly<Record<number, number>>, member = 'm', high = 100): ConsumerEvent {
  return {
    kind: 'assigned',
    member,
    partitions: Object.entries(committed).map(([partition, offset]) => ({
      topic: 't',
      partition: Number(partition),
      committed: offset < 0 ? undefined : offset,
      low: 0,
      high,
    })),
  };
}

function messageAt(offset: number): IncomingMessage {
  return { offset, timestampMs: 0, key: null, value: Buffer.from(String(offset)), headers: {} };
}

/** A fetch of offsets `from` up to and without `next`. */
export function fetched(partition: number, from: number, next: number, high = 100): ConsumerEvent {
  const messages = Array.from({ length: next - from }, (_, at) => messageAt(from + at));
  return { kind: 'fetched', topic: 't', partition, from, next, high, messages };
}

export const rebalancing: ConsumerEvent = { kind: 'rebalancing' };

export interface Scene {
  /** What the first member hears, the second, … */
  readonly members: readonly Observable<ConsumerEvent>[];
  readonly context?: Partial<SourceContext>;
  readonly options?: Partial<KafkaSourceOptions>;
  /** What becomes of joining the group, instead of the members. */
  readonly joining?: Observable<never>;
  /** What becomes of leaving the group. Default: done at once. */
  readonly leaving?: Observable<never>;
  /** What becomes of a commit. Default: done at once. */
  readonly answer?: () => Observable<never>;
}

export const defaults: KafkaSourceOptions = kafkaSourceOptions.parse({ brokers: ['b:1'], topics: ['t'], groupId: 'g' });

/** Fake members, one after the other; `note` hears what they are told. */
export function fakeKafka(scene: Scene, note: (what: string) => void): Kafka {
  const members = [...scene.members];
  return {
    produce: () => EMPTY,
    transact: () => EMPTY,
    describe: () => EMPTY,
    read: () => EMPTY,
    consume: () =>
      defer(() => {
        if (scene.joining !== undefined) return scene.joining;
        const events = members.shift() ?? NEVER;
        return concat(of(new FakeMember(events, note, scene)), NEVER).pipe(finalize(() => note('closed')));
      }),
  };
}

/** Runs a source on fake members, its lanes read at once, and notes all that happens as `time: what`. */
export function playing(
  scene: Scene,
  scheduler: SchedulerLike,
): { readonly log: string[]; readonly run: Observable<never> } {
  const log: string[] = [];
  const note = (what: string): void => void log.push(`${scheduler.now()}: ${what}`);
  const kafka = fakeKafka(scene, note);
  const context: SourceContext = {
    isFirstStart: true,
    startDeadlineMs: 50,
    saved: new Map(),
    demand: { reserve: () => of(undefined), adjust: () => {} },
    stop: NEVER,
    once: false,
    forget: (lane) => note(`forget ${lane}`),
    report: ({ code, level }) => note(`${level} ${code ?? ''}`.trim()),
    behind: () => {},
    durable: NEVER,
    ended: () => note('ended'),
    ...scene.context,
  };
  const options = { ...defaults, ...scene.options };
  const run = kafkaSource(options, { kafka, decode: decodeMessages(options) }, scheduler)
    .open(context)
    .pipe(
      mergeMap((lane) => {
        note(`open ${lane.id} at ${lane.position}`);
        return lane.batches.pipe(
          tap({
            next: ({ records, position }) =>
              note(`${lane.id} ${records.map(({ text }) => text).join(' ')} → ${position}`),
            complete: () => note(`end ${lane.id}`),
          }),
          takeUntil(lane.revoked.pipe(tap(() => note(`revoked ${lane.id}`)))),
        );
      }),
      ignoreElements(),
    );
  return { log, run };
}

/** Positions that are durable at their times. */
export function durableAt(
  times: Observable<Readonly<Record<string, number>>>,
): Observable<ReadonlyMap<string, number>> {
  return times.pipe(
    map((positions) => new Map(Object.entries(positions))),
    concatMap((positions) => of(positions)),
  );
}
