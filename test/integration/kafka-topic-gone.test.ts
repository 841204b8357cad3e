import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { linesOf, ndjson, placeForEachTest, until, within } from './harness.js';
import { Topics, USUAL_CLIENTS } from './kafka-topics.js';

const place = placeForEachTest();

/** Offsets inside a batch of records. Source: Kafka's message format, version 2. */
const LENGTH_AT = 8;
const ATTRIBUTES_AT = 22;
const UNKNOWN_CODEC = 7;

/** Gives every batch of a partition's log a compression that nobody knows. The broker hands it out as it is. */
function spoil(data: string, topic: string, first: number): void {
  const path = join(data, `${topic}-0`, '00000000000000000000.log');
  const log = readFileSync(path);
  const file = openSync(path, 'r+');
  for (let at = 0; at < log.length; at += log.readInt32BE(at + LENGTH_AT) + LENGTH_AT + 4) {
    if (log.readBigInt64BE(at) < first) continue;
    writeSync(file, Buffer.of(log.readUInt8(at + ATTRIBUTES_AT) | UNKNOWN_CODEC), 0, 1, at + ATTRIBUTES_AT);
  }
  closeSync(file);
}

describeOnKafka().each(USUAL_CLIENTS)('a topic, by %s, that', (client) => {
  // Ours in any case: its files are changed.
  const kafka = kafkaForThisBlock({ settings: {} });
  const topics = (): Topics => new Topics(kafka().brokers);
  const remove = (topic: string): Promise<unknown> =>
    topics().admin((admin) => admin.deleteTopics({ topics: [topic] }));

  const reading = (topic: string, more = ''): string => `name: reader
source:
  kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], groupId: g-${topic}, topics: [${topic}], sessionTimeoutMs: 6000${more} }
checkpoint: { path: data/r.checkpoint, everyMs: 50 }
routes:
  - to: { file: { path: out.ndjson } }
`;
  const messages = (): unknown[] => ndjson(place().path('out.ndjson')).map(({ message }) => message);
  const untilOut = (count: number, running: { stderr(): string }): Promise<void> =>
    until(
      () => `${count} lines, not ${linesOf(place().path('out.ndjson')).length}: ${running.stderr()}`,
      () => linesOf(place().path('out.ndjson')).length >= count,
      60_000,
    );

  it('is deleted under a source, and made again: said so, and what the new one has is read from its beginning', async () => {
    const topic = await topics().create(1);
    place().write('pipeline.yaml', reading(topic));
    const running = place().start(['run', 'pipeline.yaml']);
    await topics().send(topic, [{ value: 'a' }, { value: 'b' }]);
    await untilOut(2, running);
    await remove(topic);
    await until(
      () => `told: ${running.stderr()}`,
      () => /MILLRACE_E_KAFKA_TOPIC/.test(running.stderr()),
      60_000,
    );
    await wait(2000);
    await topics().make(topic);
    await topics().send(topic, [{ value: 'c' }]);
    await untilOut(3, running);
    running.kill('SIGTERM');
    const { code, stderr } = await within(20_000, 'the end', running.ended);
    expect(code, stderr).toBe(0);
    expect(messages()).toEqual(['a', 'b', 'c']);
    expect(await topics().committed(`g-${topic}`, topic)).toEqual([1]);
    // Said at first and then ever less often.
    expect(stderr.split('\n').filter((line) => line.includes('"warn"')).length, stderr).toBeLessThan(15);
  });

  it('is deleted under a sink, and made again: said so, and what was not delivered is', async () => {
    const topic = await topics().create(1);
    place().write(
      'pipeline.yaml',
      `source: { tail: { paths: ["*.log"], from: beginning } }
routes:
  - to: { kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], topic: ${topic}, format: raw } }
`,
    );
    place().write('a.log', 'a\nb\n');
    const running = place().start(['run', 'pipeline.yaml']);
    for (let tries = 0; tries < 100 && (await topics().size(topic)) < 2; tries++) await wait(100);
    await remove(topic);
    place().append(place().path('a.log'), 'c\nd\n');
    await until(
      () => `told: ${running.stderr()}`,
      () => running.stderr().includes('MILLRACE_E_KAFKA_TOPIC'),
      60_000,
    );
    await topics().make(topic);
    for (let tries = 0; tries < 200 && (await topics().size(topic)) < 2; tries++) await wait(200);
    running.kill('SIGTERM');
    const { code, stderr } = await within(20_000, 'the end', running.ended);
    expect(code, stderr).toBe(0);
    expect((await topics().readAll(topic)).map(({ value }) => value)).toEqual(['c', 'd']);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
  });

  it('is made after a pattern was subscribed: it is read from its beginning', async () => {
    const name = `later-${Date.now()}`;
    place().write('pipeline.yaml', reading(name).replace(`topics: [${name}]`, `topics: ["/^${name}/"]`));
    const running = place().start(['run', 'pipeline.yaml']);
    await wait(3000);
    await topics().make(`${name}-1`);
    await topics().send(`${name}-1`, [{ value: 'a' }]);
    await untilOut(1, running);
    await topics().make(`${name}-2`);
    await topics().send(`${name}-2`, [{ value: 'b' }]);
    await untilOut(2, running);
    running.kill('SIGTERM');
    expect((await within(20_000, 'the end', running.ended)).code, running.stderr()).toBe(0);
    expect(messages()).toEqual(['a', 'b']);
  });

  it('holds messages of a compression that nobody knows: it stops there loudly, and commits nothing beyond', async () => {
    const topic = await topics().create(1);
    place().write('pipeline.yaml', reading(topic));
    await topics().send(topic, [{ value: 'a' }]);
    expect((await place().once()).summary).toMatchObject({ read: 1 });
    await topics().send(topic, [{ value: 'b' }]);
    spoil(kafka().data, topic, 1);
    const running = place().start(['run', 'pipeline.yaml']);
    await until(
      () => `told: ${running.stderr()}`,
      () => running.stderr().includes('MILLRACE_E_KAFKA_CODEC'),
      30_000,
    );
    running.kill('SIGTERM');
    const { stderr } = await within(20_000, 'the end', running.ended);
    expect(messages(), stderr).toEqual(['a']);
    expect(await topics().committed(`g-${topic}`, topic)).toEqual([1]);
    expect((await place().once()).code).not.toBe(0);
  });
});
