import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { linesOf, placeForEachTest, until } from './harness.js';
import type { Running } from './harness.js';
import { Topics } from './kafka-topics.js';
import { patience, rounds } from './rounds.js';

const place = placeForEachTest();
describeOnKafka()('Kafka → file', () => {
  const kafka = kafkaForThisBlock();
  /** A processor from a topic into out.txt, under load; `trouble` is what happens to it. Every line must come out once. */
  const underLoad = async (trouble: (start: () => Running) => Promise<Running>): Promise<void> => {
    const topics = new Topics(kafka().brokers);
    const topic = await topics.create(4);
    place().write(
      'p.yaml',
      `name: p
source:
  kafka: { brokers: ["${kafka().brokers[0]!}"], groupId: g-${topic}, topics: [${topic}], sessionTimeoutMs: 2000 }
checkpoint: { path: data/p.checkpoint, everyMs: 50 }
routes:
  - to: { file: { path: out.txt, format: raw } }
`,
    );
    let count = 0;
    const enough = new AbortController();
    const load = (async () => {
      const producer = topics.client.producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      while (!enough.signal.aborted) {
        const messages = Array.from({ length: 100 }, (_, n) => ({ value: `line ${count + n}`, partition: n % 4 }));
        await producer.send({ topic, messages });
        count += 100;
        await wait(10);
      }
      await producer.disconnect();
    })();
    const running = await trouble(() => place().start(['run', 'p.yaml']));
    enough.abort();
    await load;
    const written = (): number => new Set(linesOf(place().path('out.txt'))).size;
    await until(
      () => `${written()} of ${count}`,
      () => written() >= count,
      60_000,
    );
    const committed = async (): Promise<number> =>
      (await topics.committed(`g-${topic}`, topic)).reduce((sum, offset) => sum + offset);
    for (let tries = 0; tries < 100 && (await committed()) < count; tries++) await wait(100);
    expect(await committed()).toBe(count);
    running.kill('SIGTERM');
    await running.ended;
    const lines = linesOf(place().path('out.txt'));
    expect(new Set(lines).size, running.stderr()).toBe(count);
    expect(lines).toHaveLength(count);
  };

  it('a processor that is killed again and again: the file has each line once', patience(4), () =>
    underLoad(async (start) => {
      let running = start();
      for (let kill = 0; kill < rounds(4); kill++) {
        await wait(2500 + Math.random() * 1500);
        running.kill('SIGKILL');
        await running.ended;
        running = start();
      }
      return running;
    }),
  );

  it('a processor that stands still for longer than its session: the group divides anew, the file has each line once', () =>
    underLoad(async (start) => {
      const running = start();
      for (let stop = 0; stop < 2; stop++) {
        await wait(4000);
        running.kill('SIGSTOP');
        await wait(3500);
        running.kill('SIGCONT');
      }
      await wait(3000);
      return running;
    }));
});
