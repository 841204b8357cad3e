import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import {
  describeOnElasticsearch,
  describeOnKafka,
  elasticsearchForThisBlock,
  kafkaForThisBlock,
} from '../servers/on-servers.js';
import { placeForEachTest, until } from './harness.js';
import { Topics } from './kafka-topics.js';

const place = placeForEachTest();
const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'];
const COUNT = 5000;

/** The programs of the README's part on pipelines in code, by name. */
function programs(): Map<string, string> {
  const blocks = readFileSync(`${root}/README.md`, 'utf8').matchAll(/```js\n(\/\/ node (\w+\.mjs)[^]*?)```/g);
  return new Map([...blocks].map(([, text = '', name = '']) => [name, text]));
}

// Both servers are needed.
describeOnKafka();
describeOnElasticsearch()('the pipelines of the README, in code', { timeout: 120_000 }, () => {
  const kafka = kafkaForThisBlock();
  const elasticsearch = elasticsearchForThisBlock();

  it('carry errors and warnings from files through Kafka to Elasticsearch, each once, and go on where they stopped', async () => {
    const topics = new Topics(kafka().brokers);
    mkdirSync(place().path('node_modules'));
    symlinkSync(root, place().path('node_modules/millrace'));
    for (const [name, text] of programs()) place().write(name, text);
    const env = { PATH: '', KAFKA_BROKERS: kafka().brokers.join(), ELASTICSEARCH_URL: elasticsearch().url };
    const options = { cwd: place().folder, env };
    const text = (n: number): string => `2026-11-23T10:00:00.000Z|${LEVELS[n % 4]!}|message ${n}\n`;
    const texts = (from: number, to: number): string =>
      Array.from({ length: to - from }, (_, n) => text(from + n)).join('');
    const log = place().write('logs/a.log', texts(0, COUNT / 2));

    const collector = spawn(process.execPath, ['collector.mjs'], { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let said = '';
      collector.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      const position = texts(0, COUNT / 2).length;
      await until(
        () => `settled: ${said}`,
        () => said.includes(`is settled up to ${position}\n`),
        60_000,
      );
      const ended = new Promise<number | null>((done) => collector.once('close', done));
      collector.kill('SIGTERM');
      expect(await ended).toBe(0);
    } finally {
      collector.kill('SIGKILL');
    }
    place().append(log, texts(COUNT / 2, COUNT));
    await run(process.execPath, ['collector.mjs', '--once'], options);
    expect(await topics.size('raw-logs')).toBe(COUNT);

    const { stdout, stderr } = await run(process.execPath, ['processor.mjs', '--once'], options);
    const ledgers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    const sum = (name: string): number => ledgers.reduce((all, ledger) => all + ledger[name]!, 0);
    // Delivered and filtered are sums over the two legs.
    expect([sum('read'), sum('delivered'), sum('filtered'), sum('deadLettered')], stderr).toEqual([
      COUNT,
      COUNT,
      COUNT,
      0,
    ]);

    const wanted = Array.from({ length: COUNT }, (_, n) => n).filter((n) => n % 4 < 2);
    const numberOf = (message: string): number => Number(message.replace('message ', ''));
    const processed = await topics.readAll('processed-logs');
    expect(new Set(processed.map(({ key }) => key))).toEqual(new Set(['ERROR', 'WARN']));
    const numbers = processed.map(({ value }) => numberOf((JSON.parse(value) as { message: string }).message));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(wanted);
    await fetch(`${elasticsearch().url}/processed-logs-*/_refresh`, { method: 'POST' });
    const found = await fetch(`${elasticsearch().url}/processed-logs-2026.11.23/_search?size=10000&_source=message`);
    const { hits } = (await found.json()) as { hits: { hits: { _source: { message: string } }[] } };
    const indexed = hits.hits.map(({ _source: { message } }) => numberOf(message));
    expect(indexed.toSorted((a, b) => a - b)).toEqual(wanted);
  });
});
