import { existsSync, statSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { searchSocketPath } from '../../src/service/search-protocol.js';
import type { Json } from './harness.js';
import { ndjson, placeForEachTest, until, within } from './harness.js';

const place = placeForEachTest();

const CONFIG = `name: app
source:
  tail: { paths: ["logs/*.log"], from: beginning, fields: { log_type: app } }
checkpoint: { path: data/app.checkpoint }
stages:
  - parse: { format: json }
  - normalize: {}
routes:
  - name: all
    to:
      - duckdb: { path: data/app.duckdb }
      - file: { path: out/all.ndjson }
`;

const LEVELS = ['INFO', 'INFO', 'WARN', 'err'];

/** Ten minutes, an event a second: the times of the log, the levels in turn. */
function log(count = 600): string {
  return Array.from({ length: count }, (_, at) => {
    const time = new Date(Date.parse('2026-03-09T10:00:00.000Z') + at * 1000).toISOString();
    return `${JSON.stringify({
      time,
      level: LEVELS[at % 4],
      message: `Request ${at} of "customer" ${at % 7}`,
      'http.response.status_code': at % 50 === 0 ? 500 : 200,
      worker: at % 3,
      'a "key"/b': `v${at % 2}`,
    })}\n`;
  }).join('');
}

async function stored(): Promise<void> {
  place().write('pipeline.yaml', CONFIG);
  place().write('logs/app.log', log());
  const { summary } = await place().once();
  expect(summary).toMatchObject({ read: 600 });
}

async function search(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await place().run(['search', '--config', 'pipeline.yaml', ...args]);
  return { code, stdout, stderr };
}

async function found(...args: string[]): Promise<readonly Json[]> {
  const { code, stdout, stderr } = await search('--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
}

const messages = (events: readonly Json[]): readonly string[] => events.map(({ message }) => String(message));

/** Everything that people ask, answered from the file and by the service: the same both times. */
async function asksEverything(): Promise<void> {
  const all = ndjson(place().path('out/all.ndjson'));
  const byId = (events: readonly Json[]): readonly Json[] =>
    [...events].sort((a, b) => String(a['event.id']).localeCompare(String(b['event.id'])));
  // What is stored is what a file sink writes, whichever way it is asked for.
  expect(byId(await found('--limit', '0'))).toEqual(byId(all));
  expect(await found('--limit', '5')).toEqual(all.slice(-5));
  expect(await found()).toHaveLength(100);
  expect(messages(await found('request 59'))).toEqual(messages(all).filter((text) => text.includes('Request 59')));
  expect(messages(await found('"CUSTOMER"', '--limit', '1'))).toEqual(['Request 599 of "customer" 4']);
  expect(await found('--level', 'ERROR,fatal', '--limit', '0')).toHaveLength(150);
  expect(await found('--min-level', 'warning', '--limit', '0')).toHaveLength(300);
  const minute = await found('--since', '2026-03-09T10:05:00Z', '--until', '2026-03-09T12:06:00+02:00');
  expect(messages(minute)).toEqual(messages(all.slice(300, 360)));
  for (const [where, count] of [
    ['worker=2', 200],
    ['worker!=2', 400],
    ['worker=2.0', 200],
    ['nothing!=2', 600],
    ['worker>=1', 400],
    ['a "key"/b=v1', 300],
    ['http.response.status_code>=500', 12],
    ['http.response.status_code=200', 588],
    ['message~^Request [0-9]{2} ', 90],
    ['log_type=app', 600],
    ['pipeline=app', 600],
    ['@timestamp<2026-03-09T10:01:00Z', 60],
    ["message=x' OR 1=1 --", 0],
  ] as const) {
    const { code, stdout, stderr } = await search('--json', '--limit', '0', '--where', where);
    expect([where, code, stdout.split('\n').length - 1]).toEqual([where, 0, count]);
    expect(stderr).toBe(count === 0 ? 'millrace search: nothing found\n' : '');
  }
  expect(await found('--count', 'log.level')).toEqual([
    { 'log.level': 'INFO', count: 300 },
    { 'log.level': 'WARN', count: 150 },
    { 'log.level': 'err', count: 150 },
  ]);
  expect(await found('--count', 'worker', '--where', 'worker>0')).toEqual([
    { worker: '1', count: 200 },
    { worker: '2', count: 200 },
  ]);
  const histogram = await found('--histogram');
  expect(histogram.length).toBeLessThanOrEqual(60);
  expect(histogram.reduce((sum, { count }) => sum + Number(count), 0)).toBe(600);
  expect(await found('--sql', 'SELECT count(*) AS n, max("@timestamp") AS last FROM events')).toEqual([
    { n: 600, last: '2026-03-09T10:09:59.000Z' },
  ]);
}

describe('search', () => {
  it('answers from the file when no service runs', async () => {
    await stored();
    await asksEverything();
  });

  it('asks the service while one runs', async () => {
    place().write('pipeline.yaml', CONFIG);
    place().write('logs/app.log', log());
    const service = place().start(['run', 'pipeline.yaml']);
    const socket = searchSocketPath(place().path('data/app.duckdb'));
    await until('the socket', () => existsSync(socket));
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await until('everything is stored', () => ndjson(place().path('out/all.ndjson')).length === 600);
    while ((await found('--sql', 'SELECT count(*) AS n FROM events'))[0]?.['n'] !== 600);
    await asksEverything();
    // What is appended is found as soon as it is stored.
    place().append(place().path('logs/app.log'), '{"message":"the newest","level":"info"}\n');
    const deadline = performance.now() + 10_000;
    while (performance.now() < deadline && (await search('the newest')).stdout === '');
    expect((await search('the newest')).stdout).toContain('the newest');
    for (const sql of ['EXPLAIN ANALYZE DELETE FROM events', "COPY events TO 'x.csv'", "FROM 'pipeline.yaml'"]) {
      const { code, stdout, stderr } = await search('--sql', sql);
      expect([sql, code, stdout]).toEqual([sql, 1, '']);
      expect(stderr).toMatch(/^millrace search: the query cannot be answered: /);
    }
    expect(existsSync(place().path('x.csv'))).toBe(false);
    expect(await found('--sql', 'SELECT count(*) AS n FROM events')).toEqual([{ n: 601 }]);
    service.kill('SIGTERM');
    expect(await within(30_000, 'the end', service.ended)).toMatchObject({ code: 0 });
    expect(existsSync(socket)).toBe(false);
    expect((await search('the newest')).stdout).toContain('the newest');
  });
});

describe('search shows', () => {
  it('events for people, oldest first, and counts with bars', async () => {
    await stored();
    const { stdout } = await search('--limit', '2');
    expect(stdout).toBe(
      [
        '2026-03-09 10:09:58.000 WARN  app.log Request 598 of "customer" 3 http.response.status_code=200 worker=1 a "key"/b=v0 log_type=app',
        '2026-03-09 10:09:59.000 ERR   app.log Request 599 of "customer" 4 http.response.status_code=200 worker=2 a "key"/b=v1 log_type=app',
        '',
      ].join('\n'),
    );
    expect((await search('--count', 'log.level', '--limit', '1')).stdout).toMatch(
      /^INFO {2}300 {3}50\.0 % {2}█{30}\n… 2 more values: --limit 0 shows all\n$/,
    );
    expect((await search('--histogram')).stdout).toContain(' 600 in all');
    expect((await search('--sql', 'SELECT 1 AS one')).stdout).toBe('one\n───\n1\n');
    const { code, stdout: help } = await place().run(['search', '--help']);
    expect({ code, help }).toMatchObject({ code: 0, help: expect.stringContaining('--where') });
  });

  it('events without a time, by when they came', async () => {
    place().write('pipeline.yaml', CONFIG.replace('  - normalize: {}\n', ''));
    place().write('logs/app.log', '{"message":"one","level":"warn"}\n{"message":"two","level":"info"}\n');
    await place().once();
    expect(messages(await found())).toEqual(['one', 'two']);
    expect(messages(await found('--since', '1h'))).toEqual(['one', 'two']);
    expect(messages(await found('--level', 'warning'))).toEqual(['one']);
    expect((await search('--until', '1h')).stderr).toBe('millrace search: nothing found\n');
  });

  it('several stores of one configuration as one', async () => {
    const second = CONFIG.replaceAll('app', 'web').replaceAll('out/all', 'out/web');
    place().write('pipeline.yaml', `${CONFIG}---\n${second.replace('logs/*.log', 'weblogs/*.log')}`);
    place().write('logs/app.log', log(6));
    place().write('weblogs/web.log', log(6));
    await place().once();
    const events = await found('--limit', '4');
    expect(events.map(({ log_type }) => log_type).sort()).toEqual(['app', 'app', 'web', 'web']);
    expect(messages(events).map((text) => text.slice(0, 9))).toEqual([
      'Request 4',
      'Request 4',
      'Request 5',
      'Request 5',
    ]);
    expect((await found('--count', 'log.level'))[0]).toEqual({ 'log.level': 'INFO', count: 8 });
    expect((await search('--sql', 'SELECT 1')).stdout).toMatch(/app\.duckdb:\n[^]*web\.duckdb:\n/);
  });
});

describe('search says what is wrong', () => {
  const fails = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await place().run(['search', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    return stderr;
  };

  it('with the arguments', async () => {
    await stored();
    const store = ['--store', 'data/app.duckdb'];
    expect(await fails([...store, '--where', 'worke=1'])).toContain(
      "no event has a field 'worke': did you mean 'worker'?",
    );
    expect(await fails([...store, '--count', 'log.levl'])).toContain("did you mean 'log.level'?");
    expect(await fails([...store, '--where', 'http.response.status_code=many'])).toContain('expected a number');
    expect(await fails([...store, '--where', 'message~('])).toContain('missing )');
    expect(await fails([...store, '--since', 'foo'])).toContain('--since must be');
    expect(await fails([...store, '--sql', 'SELEKT 1'])).toContain('Parser Error: syntax error at or near "SELEKT"');
  });

  it('with the store', async () => {
    expect(await fails(['--store', 'none.duckdb'])).toContain('there is no store: ');
    place().write('text.duckdb', 'no database, but long enough to be looked at\n'.repeat(1000));
    expect(await fails(['--store', 'text.duckdb'])).toMatch(/^millrace search: the store is damaged: .*text\.duckdb/);
    expect(await fails([])).toContain('config/default.yaml: there is no such file');
    place().write('pipeline.yaml', CONFIG.replace(/ +- duckdb.*\n/, ''));
    expect(await fails(['--config', 'pipeline.yaml'])).toContain('pipeline.yaml has no store');
    const { code, stderr } = await place().run(['serch', 'x']);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('no command serch') });
  });

  it('when another process has the file and does not answer: by its pid', async () => {
    const instance = await DuckDBInstance.create(place().path('held.duckdb'));
    try {
      expect(await fails(['--store', 'held.duckdb'])).toMatch(
        new RegExp(`another process uses the store.*pid ${process.pid}\\n`),
      );
    } finally {
      instance.closeSync();
    }
  });
});
