import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { announcedSeed, placeForEachTest, randomOf, until, within } from './harness.js';
import type { Running } from './harness.js';
import { Chain } from './kafka-chain.js';
import { KAFKA_CLIENTS, Topics } from './kafka-topics.js';
import { OffsetWatch } from './offset-watch.js';
import { patience, rounds } from './rounds.js';

const place = placeForEachTest();
const PARTITIONS = 4;

describeOnKafka().each(KAFKA_CLIENTS)('kill, by %s', (client) => {
  const kafka = kafkaForThisBlock();
  const topics = (): Topics => new Topics(kafka().brokers);

  const processor = (name: string, from: string, to: string): string => `name: ${name}
source:
  kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], groupId: g-${from}, topics: [${from}], sessionTimeoutMs: 3000 }
checkpoint: { path: data/${name}.checkpoint, everyMs: 50 }
routes:
  - name: out
    to:
      kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], topic: ${to}, format: raw }
`;

  const start = (name: string, from: string, to: string): Running => {
    place().write(`${name}.yaml`, processor(name, from, to));
    return place().start(['run', `${name}.yaml`]);
  };

  it('three processors of a group, one killed, one added, one stopped: every message arrives, no offset goes back', async () => {
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
    const [one, two, other] = [start('one', from, to), start('two', from, to), start('other', from, to)];
    await until(
      'they work',
      () => watch.last.length === PARTITIONS && watch.last.every((offset) => offset > 0),
      30_000,
    );
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
    const logs = (): string => [one, two, other, three, four].map((running) => running.stderr()).join('\n---\n');
    const sum = (): number => watch.last.reduce((total, offset) => total + offset, 0);
    await until(
      () => `${sum()} of ${sent.length} committed\n${logs()}`,
      () => sum() === sent.length,
      20_000,
    );
    await watch.end();
    for (const running of [other, three, four]) running.kill('SIGTERM');
    const ends = await Promise.all(
      [other.ended, three.ended, four.ended].map((ended) => within(10_000, 'the end', ended)),
    );
    expect([stopped.code, ...ends.map(({ code }) => code)], logs()).toEqual([0, 0, 0, 0]);

    const read = await topics().readAll(to);
    const ids = read.map(({ value, headers }) => `${value} ${headers['millrace-id']!}`);
    const distinct = new Set(ids);
    console.log(`${sent.length} messages, ${read.length - distinct.size} came twice`);
    expect(distinct.size).toBe(sent.length);
    expect(new Set(read.map(({ value }) => value))).toEqual(new Set(sent));
    expect(watch.stepsBack).toEqual([]);
  });

  it('collector, processor and broker killed in turn, under load: every line arrives', patience(3), async () => {
    const random = randomOf(announcedSeed('kafka-kill.test.ts'));
    const chain = await Chain.start({ place: place(), topics: topics(), brokers: kafka().brokers, client });
    const turns = rounds(3);
    let brokers = 0;
    for (let turn = 0; turn < turns; turn++) {
      await wait(200 + random() * 1000);
      await chain.kill('collector');
      chain.start('collector');
      if (turn % 3 === 1) {
        await wait(500 * random());
        await kafka().nodes[0]?.kill();
        brokers++;
        await wait(1500 * random());
        await kafka().nodes[0]?.start();
      }
      await wait(200 + random() * 1000);
      await chain.kill('processor');
      await chain.expectSettled();
      chain.start('processor');
      // The group waits for the killed member until its session is over.
      if (turn % 2 === 0) await chain.progress();
    }
    await chain.end(`collector and processor killed ${turns} times each, broker ${brokers} times`);
  });
});
