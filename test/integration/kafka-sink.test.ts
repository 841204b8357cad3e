import { expect, it } from 'vitest';
import { partitionOf } from '../../src/sinks/kafka/partition-of.js';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { ndjson, placeForEachTest } from './harness.js';
import { KAFKA_CLIENTS, Topics } from './kafka-topics.js';

const place = placeForEachTest();
const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'];

function lines(count: number): string {
  return Array.from({ length: count }, (_, n) => `2026-01-01T00:00:00Z|${LEVELS[n % 4]!}|message ${n}\n`).join('');
}

describeOnKafka().each(KAFKA_CLIENTS)('the Kafka sink, by %s', (client) => {
  const kafka = kafkaForThisBlock();
  const topics = (): Topics => new Topics(kafka().brokers);

  const config = (sink: string): string => `name: collector
source:
  tail: { paths: ["logs/*.log"], from: beginning }
stages:
  - parse: { format: delimited, separator: "|", fields: [time, level, message] }
routes:
  - name: raw-logs
    to:
      kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], ${sink} }
deadLetter:
  file: { path: dead.ndjson }
`;

  it('writes every event once, in the order of its key, where Kafka’s own partitioner would', async () => {
    const topic = await topics().create(4);
    place().write('logs/a.log', lines(20_000));
    place().write('pipeline.yaml', config(`topic: ${topic}`));
    const { summary, code, stderr } = await place().once();
    expect(summary, stderr).toMatchObject({ read: 20_000, delivered: 20_000, deadLettered: 0, duplicates: 0 });
    expect(code).toBe(0);
    const read = await topics().readAll(topic);
    const numbers = read.map(({ value }) => Number((JSON.parse(value) as { message: string }).message.slice(8)));
    expect(read).toHaveLength(20_000);
    expect(new Set(numbers).size).toBe(20_000);
    for (const [at, { key, partition, headers, value }] of read.entries()) {
      expect(key).toBe(LEVELS[numbers[at]! % 4]);
      expect(partition).toBe(partitionOf(key!, 4));
      expect(headers['millrace-id']).toBe((JSON.parse(value) as Record<string, string>)['event.id']);
    }
    for (const level of LEVELS) {
      const own = numbers.filter((n) => LEVELS[n % 4] === level);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
    expect(stderr).not.toContain('Warning');
  });

  it('the original line as it was, and none of it twice when it runs again', async () => {
    const startedAt = Date.now();
    const topic = await topics().create(1);
    place().write('logs/a.log', lines(10));
    place().write('pipeline.yaml', config(`topic: ${topic}, format: raw`));
    await place().once();
    expect((await place().once()).summary).toMatchObject({ read: 0 });
    const messages = await topics().readAll(topic);
    expect(messages.map(({ value }) => `${value}\n`).join('')).toBe(lines(10));
    // When they came in: those who read them give it to events without a date.
    for (const { headers } of messages) {
      expect(Number(headers['millrace-time'])).toBeGreaterThanOrEqual(startedAt);
      expect(Number(headers['millrace-time'])).toBeLessThanOrEqual(Date.now());
    }
  });

  it.each(['gzip', 'snappy', 'lz4', ...(Number(process.versions.node.split('.')[0]) >= 23 ? ['zstd'] : [])])(
    '%s',
    async (compression) => {
      const topic = await topics().create(2);
      place().write('logs/a.log', lines(5000));
      place().write('pipeline.yaml', config(`topic: ${topic}, compression: ${compression}`));
      const { summary, stderr } = await place().once();
      expect(summary, stderr).toMatchObject({ read: 5000, delivered: 5000 });
      expect(await topics().size(topic)).toBe(5000);
    },
  );

  it('what is too large becomes a dead letter: by the setting, and by the topic’s own limit', async () => {
    const topic = await topics().create(2, { 'max.message.bytes': '20000' });
    const big = (n: number, size: number): string => `t|INFO|big ${n} ${'x'.repeat(size)}\n`;
    place().write('logs/a.log', lines(500) + big(1, 60_000) + lines(500) + big(2, 30_000) + lines(500));
    place().write('pipeline.yaml', config(`topic: ${topic}, maxMessageBytes: 50000`));
    const { summary, stderr } = await place().once();
    expect(summary, stderr).toMatchObject({ read: 1502, delivered: 1500, deadLettered: 2 });
    const dead = ndjson(place().path('dead.ndjson'));
    expect(dead.map((letter) => letter['error.code'])).toEqual(Array(2).fill('MILLRACE_E_KAFKA_TOO_LARGE'));
    expect(dead.map((letter) => String(letter['event.original']).slice(0, 12))).toEqual([
      't|INFO|big 1',
      't|INFO|big 2',
    ]);
    const ids = (await topics().readAll(topic)).map(({ headers }) => headers['millrace-id']);
    expect(new Set(ids).size).toBe(1500);
  });

  it('makes the topic when it may', async () => {
    const topic = `made-${client}-${process.pid}-${Date.now()}`;
    place().write('logs/a.log', lines(10));
    place().write('pipeline.yaml', config(`topic: ${topic}, createTopic: { partitions: 3 }`));
    expect((await place().once()).summary).toMatchObject({ delivered: 10 });
    const { topics: found } = await topics().admin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    expect(found[0]?.partitions).toHaveLength(3);
  });

  it('says in time that the topic is missing, or nobody answers', async () => {
    place().write('logs/a.log', lines(10));
    place().write('pipeline.yaml', `startDeadlineMs: 3000\n${config('topic: missing')}`);
    const missing = await place().once();
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('MILLRACE_E_KAFKA_TOPIC')]);
    place().write(
      'pipeline.yaml',
      `startDeadlineMs: 1500\n${config('topic: any')}`.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'),
    );
    const unreachable = await place().once();
    expect(unreachable.code).toBe(2);
  });

  it('dead letters go to a topic as well', async () => {
    const topic = await topics().create(1);
    const dead = await topics().create(1);
    place().write('logs/a.log', `${lines(3)}broken\n`);
    const deadLetter = `kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], topic: ${dead} }`;
    place().write('pipeline.yaml', config(`topic: ${topic}`).replace('file: { path: dead.ndjson }', deadLetter));
    expect((await place().once()).summary).toMatchObject({ read: 4, delivered: 3, deadLettered: 1 });
    const [letter] = await topics().readAll(dead);
    expect(letter?.key).toBe('MILLRACE_E_PARSE_FIELDS');
    expect(JSON.parse(letter?.value ?? '')).toMatchObject({ 'event.original': 'broken' });
  });
});
