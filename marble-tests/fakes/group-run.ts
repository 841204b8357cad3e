import { concat, defer, filter, map, mergeMap, NEVER, of, ReplaySubject, timer } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';
import { expect } from 'vitest';
import { pipeline } from '../../src/flow/pipeline.js';
import type { Batch, Lane } from '../../src/model/batch.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { MillraceError } from '../../src/model/errors.js';
import type { LogEvent } from '../../src/model/event.js';
import type { Kafka, TopicPartition } from '../../src/model/kafka.js';
import type { Delivery, Receipt, SinkResource } from '../../src/model/sink.js';
import type { Source } from '../../src/model/source.js';
import { encodeEvents } from '../../src/sinks/kafka/messages.js';
import { kafkaSinkOptions } from '../../src/sinks/kafka/options.js';
import { transactionalSink } from '../../src/sinks/kafka/transactional-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { connectionOf, kafkaSourceOptions } from '../../src/sources/kafka/options.js';
import { decodeMessages } from '../../src/sources/kafka/records.js';
import { checkpointFile } from '../../src/stores/checkpoint-file.js';
import { loadLaneState } from '../../src/stores/kafka/lane-states.js';
import { laneTransactions } from '../../src/stores/kafka/lane-transactions.js';
import { FakeBroker, transactionalPorts } from './fake-broker.js';
import { FakeDisk } from '../../src/testing/fake-disk.js';
import { FakeFiles } from '../../src/testing/fake-files.js';
import { FakeGroup } from './fake-group.js';
import { noSchemas } from './no-schemas.js';
import { receiptFor, RecordingSink, resourceOf } from '../../src/testing/recording-sink.js';
import { Seeded } from '../../src/testing/seeded.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

const GROUP = 'g';
const OUT: TopicPartition = { topic: 'out', partition: 0 };
const IN: readonly TopicPartition[] = [0, 1, 2].map((partition) => ({ topic: 'in', partition }));
const STATES: TopicPartition = { topic: 'states', partition: 0 };
const CONNECTION = connectionOf(kafkaSourceOptions.parse({ brokers: ['b:1'], topics: ['in'], groupId: GROUP }));
const MESSAGES = 60;
const GIVE_UP_MS = 20_000;
/** A supervisor starts again what these have ended. */
const RESTARTED = ['MILLRACE_E_KAFKA_TRANSACTION', 'MILLRACE_E_KAFKA_FENCED'];

const isKept = (text: string): boolean => !text.endsWith('7');

/** A source that counts the messages of each lane, from what was counted before. */
function counting(source: Source, kafka: Kafka): Source {
  const counted = (lane: Lane): Observable<Batch> => {
    const text = typeof lane.state === 'string' ? lane.state : undefined;
    return loadLaneState({ connection: CONNECTION, topic: STATES.topic }, text, kafka).pipe(
      mergeMap((before) => {
        let count = typeof before === 'number' ? before : 0;
        return lane.batches.pipe(map((batch) => ({ ...batch, state: (count += batch.records.length) })));
      }),
    );
  };
  return { open: (context) => source.open(context).pipe(map((lane) => ({ ...lane, batches: counted(lane) }))) };
}

/** One life of a processor. */
class Life {
  readonly files: FakeFiles;
  error: unknown;
  isDone = false;
  readonly #stop = new ReplaySubject<void>(1);
  readonly #subscription: Subscription;

  constructor(world: World, crashAt: number | undefined) {
    const { disk, clock, broker, random } = world;
    this.files = new FakeFiles(disk, clock, { maxLatencyMs: 4, ...(crashAt === undefined ? {} : { crashAt }) });
    const call = <T>(name: string, effect: () => T) => this.files.call(name, effect);
    const kafka = { ...transactionalPorts(broker, call, random), consume: world.group.consume(call) };
    const source = kafkaSourceOptions.parse({ brokers: ['b:1'], topics: ['in'], groupId: GROUP });
    const sink = kafkaSinkOptions.parse({ brokers: ['b:1'], topic: OUT.topic, format: 'raw', transactional: true });
    const { topic, compression, maxMessageBytes } = sink;
    const states = { topic: STATES.topic, mint: () => `claim ${world.nextNumber()}` };
    const target = { connection: CONNECTION, topic, compression, maxMessageBytes, groupId: GROUP };
    const store = checkpointFile(`/data/${world.nextNumber()}`, this.files);
    const spec = {
      source: counting(kafkaSource(source, { kafka, decode: decodeMessages(source) }, clock), kafka),
      stages: [filter((event: LogEvent) => isKept(String(event.get('message'))))],
      routes: [
        { name: 'topic', stages: [], to: [transactionalSink(sink, encodeEvents(sink, noSchemas))] },
        { name: 'beside', stages: [], to: [world.beside(this.files)] },
      ],
      deadLetters: resourceOf(new RecordingSink<DeadLetter>()),
      store,
      transactions: laneTransactions({ ...target, store, states }, kafka),
      checkpointEveryMs: 30,
      policy: { random: () => random.next() },
    };
    const run = { stop: this.#stop, once: false, startDeadlineMs: 1000, report: () => {}, behind: () => {} };
    this.#subscription = pipeline(spec, run, clock).subscribe({
      error: (error: unknown) => (this.error = error),
      complete: () => (this.isDone = true),
    });
  }

  stop(): void {
    this.#stop.next();
  }

  bury(): void {
    this.files.crash();
    this.#subscription.unsubscribe();
  }
}

/** What outlives processes. */
class World {
  readonly clock = new VirtualClock();
  readonly random: Seeded;
  readonly disk: FakeDisk;
  readonly broker = new FakeBroker();
  readonly group: FakeGroup;
  /** What the other sink has. */
  readonly have = new Set<string>();
  /** What was committed before it had it. */
  readonly early: string[] = [];
  #numbers = 0;

  constructor(random: Seeded) {
    this.random = random;
    this.disk = new FakeDisk({ random, now: () => 1 + this.clock.now() });
    this.disk.makeFolder('/data');
    this.group = new FakeGroup(GROUP, IN, this.broker, this.clock, random);
    this.broker.onCommit = (messages) => {
      const output = messages.filter(({ topic }) => topic === OUT.topic).map(({ value }) => String(value));
      this.early.push(...output.filter((value) => !this.have.has(value)));
    };
  }

  nextNumber(): number {
    return ++this.#numbers;
  }

  /** A sink that takes its time. */
  beside(files: FakeFiles): SinkResource {
    const take = (delivery: Delivery): Receipt => {
      for (const item of delivery.items) this.have.add(String(item.get('message')));
      return receiptFor(delivery);
    };
    const deliver = (delivery: Delivery) =>
      concat(
        timer(this.random.below(30), this.clock).pipe(filter(() => false)),
        defer(() => files.call('beside', () => take(delivery))),
      ).pipe(map((receipt) => receipt as Receipt));
    return { name: 'beside', open: () => concat(of({ deliver }), NEVER) };
  }
}

/**
 * Two processors of one group, which die and start again, and messages that come. `cuts`: the calls, in each life of the
 * first, at which it dies. Gives how many calls the first life made.
 */
export function playGroup(seed: number, cuts: readonly number[]): number {
  const random = new Seeded(seed * 1000 + cuts.reduce((sum, cut) => sum * 31 + cut, 0));
  const world = new World(random);
  const { clock, broker } = world;
  const lives: (Life | undefined)[] = [undefined, undefined];
  const startAt = [0, random.below(200)];
  const firsts: Life[] = [];
  let others = 0;
  const start = (slot: number): Life => {
    const isFirst = slot === 0;
    const otherCut = others++ < 2 && random.chance(0.3) ? 1 + random.below(100) : undefined;
    const life = new Life(world, isFirst ? cuts[firsts.length] : otherCut);
    if (isFirst) firsts.push(life);
    return life;
  };
  const pass = (until: number): void => {
    while (clock.now() < until) {
      [0, 1].forEach((slot) => {
        const life = lives[slot];
        if (life === undefined) {
          if (clock.now() >= startAt[slot]!) lives[slot] = start(slot);
          return;
        }
        const code = life.error instanceof MillraceError ? life.error.code : '';
        if (life.error !== undefined && !RESTARTED.includes(code)) throw life.error as Error;
        if (!life.files.isDead && life.error === undefined) return;
        life.bury();
        lives[slot] = undefined;
        startAt[slot] = clock.now() + random.pick([0, 5, 50, 300]);
      });
      clock.runUntil(Math.min(until, clock.now() + 1));
    }
  };
  const sent: string[][] = IN.map(() => []);
  for (let number = 0; number < MESSAGES; number++) {
    pass(clock.now() + random.below(12));
    const where = random.pick(IN);
    const value = `${where.partition}-${number}`;
    sent[where.partition]!.push(value);
    broker.append({ ...where, key: null, value, headers: {} });
  }
  const isDone = (): boolean =>
    IN.every((where) => broker.offsetOf(GROUP, where)?.offset === broker.end(where) || broker.end(where) === 0);
  const until = clock.now() + GIVE_UP_MS;
  while (!isDone() && clock.now() < until) pass(clock.now() + 20);
  pass(clock.now() + 400);
  check(world, sent, `playGroup(${seed}, [${cuts.join()}])`);
  for (const life of lives) life?.bury();
  return firsts[0]!.files.calls;
}

function check({ broker, early }: World, sent: readonly (readonly string[])[], what: string): void {
  expect(early, what).toEqual([]);
  const values = broker.committed(OUT).map(({ value }) => Buffer.from(value ?? []).toString());
  sent.forEach((all, partition) => {
    expect(
      values.filter((value) => value.startsWith(`${partition}-`)),
      what,
    ).toEqual(all.filter(isKept));
    const text = broker.offsetOf(GROUP, { topic: 'in', partition })?.metadata;
    const ports = transactionalPorts(broker, (_, effect) => defer(() => of(effect())), new Seeded(1));
    const seen: unknown[] = [];
    const kafka = { ...ports, consume: () => NEVER };
    loadLaneState({ connection: CONNECTION, topic: STATES.topic }, text, kafka).subscribe((state) => seen.push(state));
    expect(seen, what).toEqual([all.length === 0 ? undefined : all.length]);
  });
}
