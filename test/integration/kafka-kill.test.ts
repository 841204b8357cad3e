import { mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { announcedSeed, placeForEachTest, randomOf, until, within } from './harness.js';
import type { Running } from './harness.js';
import { Topics } from './kafka-topics.js';

const place = placeForEachTest();
const PARTITIONS = 4;

/** Looks again and again at what the group has committed, and keeps every step back. */
class OffsetWatch {
  readonly stepsBack: string[] = [];
  readonly #ended = new AbortController();
  readonly #watching: Promise<void>;
  last: number[] = [];

  constructor(topics: Topics, group: string, topic: string) {
    this.#watching = (async () => {
      while (!this.#ended.signal.aborted) {
        // The broker may be down.
        const now = await topics.committed(group, topic).catch(() => this.last);
        now.forEach((offset, partition) => {
          const before = this.last[partition] ?? -1;
          if (offset < before) this.stepsBack.push(`partition ${partition}: ${before} → ${offset}`);
        });
        this.last = now;
        await wait(100);
      }
    })();
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }
}

describeOnKafka()('kill', () => {
  const kafka = kafkaForThisBlock();
  const topics = (): Topics => new Topics(kafka().brokers);

  const processor = (name: string, from: string, to: string): string => `name: ${name}
source:
  kafka: { brokers: ["${kafka().brokers[0]!}"], groupId: g-${from}, topics: [${from}], sessionTimeoutMs: 3000 }
checkpoint: { path: data/${name}.checkpoint, everyMs: 50 }
routes:
  - name: out
    to:
      kafka: { brokers: ["${kafka().brokers[0]!}"], topic: ${to}, format: raw }
`;

  const start = (name: string, from: string, to: string): Running => {
    place().write(`${name}.yaml`, processor(name, from, to));
    return place().start(['run', `${name}.yaml`]);
  };

  it('processors of a group that are killed, added and stopped: every message arrives, no offset goes back', async () => {
    const [from, to] = [await topics().create(PARTITIONS), await topics().create(PARTITIONS)];
    const sent: string[] = [];
    const enough = new AbortController();
    const sending = (async () => {
      while (!enough.signal.aborted) {
        const batch = Array.from({ length: 100 }, (_, n) => `message ${sent.length + n}`);
        await topics().send(
          from,
          batch.map((value, n) => ({ value, partition: n % PARTITIONS })),
        );
        sent.push(...batch);
        await wait(20);
      }
    })();
    const watch = new OffsetWatch(topics(), `g-${from}`, from);
    const [one, two] = [start('one', from, to), start('two', from, to)];
    await until('both work', () => watch.last.length === PARTITIONS && watch.last.every((offset) => offset > 0));
    one.kill('SIGKILL');
    await wait(1000);
    const three = start('three', from, to);
    await wait(5000);
    two.kill('SIGTERM');
    const stopped = await within(10_000, 'two has ended', two.ended);
    const four = start('four', from, to);
    await wait(2000);
    enough.abort();
    await sending;
    const logs = (): string => [one, two, three, four].map((running) => running.stderr()).join('\n---\n');
    const sum = (): number => watch.last.reduce((total, offset) => total + offset, 0);
    await until(
      () => `${sum()} of ${sent.length} committed\n${logs()}`,
      () => sum() === sent.length,
      20_000,
    );
    await watch.end();
    for (const running of [three, four]) running.kill('SIGTERM');
    const ends = await Promise.all([three.ended, four.ended].map((ended) => within(10_000, 'the end', ended)));
    expect([stopped.code, ...ends.map(({ code }) => code)], logs()).toEqual([0, 0, 0]);

    const read = await topics().readAll(to);
    const ids = read.map(({ value, headers }) => `${value} ${headers['millrace-id']!}`);
    const distinct = new Set(ids);
    console.log(`${sent.length} messages, ${read.length - distinct.size} came twice`);
    expect(distinct.size).toBe(sent.length);
    expect(new Set(read.map(({ value }) => value))).toEqual(new Set(sent));
    expect(watch.stepsBack).toEqual([]);
  });

  it('collector, broker and processor killed in turn, under load: every line arrives', async () => {
    const random = randomOf(announcedSeed('kafka-kill.test.ts'));
    const [from, to] = [await topics().create(PARTITIONS), await topics().create(PARTITIONS)];
    mkdirSync(place().path('logs'));
    place().write(
      'collector.yaml',
      `name: collector
source: { tail: { paths: ["logs/*.log"], from: beginning } }
checkpoint: { path: data/collector.checkpoint, everyMs: 50 }
routes:
  - name: raw
    to:
      kafka: { brokers: ["${kafka().brokers[0]!}"], topic: ${from}, format: raw }
`,
    );
    place().write('one.yaml', processor('one', from, to));
    const path = place().path('logs', 'a.log');
    let count = 0;
    const enough = new AbortController();
    const writing = (async () => {
      while (!enough.signal.aborted) {
        let text = '';
        for (let n = 0; n < 20; n++) text += `line ${count++}\n`;
        place().append(path, text);
        await wait(10);
      }
    })();
    let collector = place().start(['run', 'collector.yaml']);
    let one = place().start(['run', 'one.yaml']);
    const history: string[] = [];
    const kill = async (running: Running): Promise<void> => {
      running.kill('SIGKILL');
      history.push((await running.ended).stderr);
    };
    for (let turn = 0; turn < 2; turn++) {
      await wait(300 + random() * 1200);
      await kill(collector);
      collector = place().start(['run', 'collector.yaml']);
      await wait(300 + random() * 1200);
      if (turn % 2 === 0) {
        await kafka().nodes[0]?.kill();
        await wait(500 * random());
        await kafka().nodes[0]?.start();
      }
      await wait(300 + random() * 1200);
      await kill(one);
      one = place().start(['run', 'one.yaml']);
    }
    enough.abort();
    await writing;
    const logs = (): string => [...history, collector.stderr(), one.stderr()].join('\n---\n');
    let arrived = new Set<string>();
    for (let tries = 0; tries < 40 && arrived.size < count; tries++) {
      await wait(500);
      arrived = new Set((await topics().readAll(to)).map(({ value }) => value));
    }
    expect(arrived.size, logs()).toBe(count);
    for (const running of [collector, one]) running.kill('SIGTERM');
    const codes = (await Promise.all([collector.ended, one.ended])).map(({ code }) => code);
    expect(codes, logs()).toEqual([0, 0]);
    const read = await topics().readAll(to);
    const ids = new Map(read.map(({ value, headers }) => [value, headers['millrace-id']]));
    console.log(`${count} lines, ${read.length - arrived.size} came twice`);
    // A line that came twice has one id: a store that knows ids takes it once.
    expect(new Set(read.map(({ value, headers }) => `${value} ${headers['millrace-id']!}`)).size).toBe(count);
    expect(new Set(ids.values()).size).toBe(count);
  });
});
