import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import {
  describeOnElasticsearch,
  describeOnKafka,
  elasticsearchForThisBlock,
  kafkaForThisBlock,
} from '../servers/on-servers.js';
import { placeForEachTest } from './harness.js';
import { Topics } from './kafka-topics.js';

const place = placeForEachTest();
const CONFIG = fileURLToPath(new URL('../../config', import.meta.url));
const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'];
const COUNT = 5000;

// Both servers are needed.
describeOnKafka();
describeOnElasticsearch()('config/collector.yaml and config/processor.yaml', { timeout: 120_000 }, () => {
  const kafka = kafkaForThisBlock();
  const elasticsearch = elasticsearchForThisBlock();

  it('carry errors and warnings from files through Kafka to Elasticsearch, each once', async () => {
    const topics = new Topics(kafka().brokers);
    cpSync(CONFIG, place().path('config'), { recursive: true });
    const text = (n: number): string => `2026-11-23T10:00:00.000Z|${LEVELS[n % 4]!}|message ${n}\n`;
    place().write('logs/a.log', Array.from({ length: COUNT }, (_, n) => text(n)).join(''));
    const env = { KAFKA_BROKERS: kafka().brokers.join(), ELASTICSEARCH_URL: elasticsearch().url };
    const collected = await place().once('config/collector.yaml', { env });
    expect(collected.summary, collected.stderr).toMatchObject({ read: COUNT, delivered: COUNT, deadLettered: 0 });
    const { summary, stderr } = await place().once('config/processor.yaml', { env });
    expect(summary, stderr).toMatchObject({ read: COUNT, delivered: COUNT, deadLettered: 0, duplicates: 0 });
    const processed = await topics.readAll('processed-logs');
    expect(new Set(processed.map(({ key }) => key))).toEqual(new Set(['ERROR', 'WARN']));
    const wanted = Array.from({ length: COUNT }, (_, n) => n).filter((n) => n % 4 < 2);
    const numberOf = (message: string): number => Number(message.replace('message ', ''));
    const numbers = processed.map(({ value }) => numberOf((JSON.parse(value) as { message: string }).message));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(wanted);
    await fetch(`${elasticsearch().url}/processed-logs-*/_refresh`, { method: 'POST' });
    const found = await fetch(`${elasticsearch().url}/processed-logs-2026.11.23/_search?size=10000&_source=message`);
    const { hits } = (await found.json()) as { hits: { hits: { _source: { message: string } }[] } };
    const indexed = hits.hits.map(({ _source: { message } }) => numberOf(message));
    expect(indexed.toSorted((a, b) => a - b)).toEqual(wanted);
  });
});
