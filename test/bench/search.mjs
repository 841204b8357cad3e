// The part `search` of main.mjs: how long a search of ten million events takes, through the service and from the file.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { newestQuery } from '../../dist/service/search-query.js';
import { searchSocketPath } from '../../dist/service/search-protocol.js';
import { openStore } from '../../dist/service/search-store.js';
import { OWN_COLUMNS } from '../../dist/sinks/duckdb/columns.js';
import { addColumn } from '../../dist/sinks/duckdb/sql.js';
import { openFile } from '../../dist/sinks/duckdb/store-file.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const ROWS = 10_000_000;
/** Columns that the events bring. */
const MORE = new Map([
  ['log.file.path', 'VARCHAR'],
  ['service.name', 'VARCHAR'],
  ['http.response.status_code', 'BIGINT'],
]);
const RUNS = 9;
const DAY_MICROS = 86_400_000_000;
const START_MICROS = Date.parse('2026-03-09T00:00:00Z') * 1000;
const NEWEST_HOUR = '2026-03-09T23:00:00.000Z';

/** A day of events, two seconds out of order at most, as several files would deliver them. */
async function fill(path) {
  const instance = await DuckDBInstance.create(':memory:');
  const writer = await instance.connect();
  await openFile(writer, path);
  for (const [name, type] of MORE) await writer.run(addColumn(name, type));
  const level = (info, warn, error) =>
    `CASE WHEN i % 10 < 7 THEN ${info} WHEN i % 10 < 9 THEN ${warn} ELSE ${error} END`;
  const micros = `${START_MICROS} + i * ${DAY_MICROS / ROWS}`;
  const columns = [...OWN_COLUMNS.keys(), ...MORE.keys()].map((name) => `"${name}"`);
  await writer.run(`INSERT INTO events (${columns}) SELECT 'a1b2c3d4:' || (i * 90),
    make_timestamp(${micros} - (hash(i) % 2000000)::BIGINT), ${level("'INFO'", "'WARN'", "'ERROR'")}, ${level(9, 13, 17)},
    'request ' || i || ' of customer ' || (hash(i) % 100000) || ' answered in ' || (hash(i + 1) % 900) || ' ms',
    'app', 'all', make_timestamp(${micros} + 1000000), '{"worker":' || (i % 16) || ',"region":"r' || (i % 4) || '"}',
    '/var/log/app.log', 'service' || (i % 5), CASE WHEN i % 50 = 0 THEN 500 ELSE 200 END FROM range(${ROWS}) t(i)`);
  writer.closeSync();
  instance.closeSync();
}

const QUESTIONS = [
  ['the newest hour', { since: NEWEST_HOUR }, ['--since', NEWEST_HOUR], 100],
  ['its errors', { since: NEWEST_HOUR, severities: [17] }, ['--since', NEWEST_HOUR, '--level', 'ERROR'], 100],
  ['a text in it', { since: NEWEST_HOUR, text: 'customer 77' }, ['customer 77', '--since', NEWEST_HOUR]],
  ['the newest of all', {}, []],
  ['a text that one of all has', { text: 'request 77777 ' }, ['request 77777 ']],
];

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

async function asked(store, filters) {
  const signal = new AbortController().signal;
  const startedAt = performance.now();
  const described = await store.answer({ sql: 'DESCRIBE events' }, signal);
  const columns = [];
  for await (const rows of described.rows) columns.push(...rows.map(([name, type]) => ({ name, type })));
  const match = { filters: { where: [], ...filters }, columns, nowMs: Date.now() };
  const { rows } = await store.answer(newestQuery(match, 100), signal);
  const runs = rows[Symbol.asyncIterator]();
  const { value } = await runs.next();
  if (!(value?.length > 0)) throw new Error('nothing found');
  const took = performance.now() - startedAt;
  while (!(await runs.next()).done);
  return took;
}

function command(path, args) {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'search', '--store', path, ...args]);
  if (status !== 0 || stdout.length === 0) throw new Error(`search ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}

async function measure(way, path) {
  console.log(`  ${way}:`);
  for (const [name, filters, args, asks] of QUESTIONS) {
    const queries = [];
    const store = await openStore(path);
    for (let run = 0; run < RUNS; run++) queries.push(await asked(store, filters));
    store.close();
    const commands = [1, 2, 3].map(() => command(path, args));
    const wanted = asks === undefined ? '' : `   asked: first rows under ${asks} ms`;
    console.log(
      `    ${name.padEnd(28)} first rows ${ms(median(queries)).padStart(7)} (first time ${ms(queries[0])}), whole command ${ms(median(commands))}${wanted}`,
    );
  }
}

export async function search(folder) {
  const path = join(folder, 'search.duckdb');
  const startedAt = performance.now();
  await fill(path);
  console.log(
    `\nsearch, ${ROWS / 1e6} M events (${Math.round(statSync(path).size / 1e6)} MB, made in ${Math.round((performance.now() - startedAt) / 1000)} s); medians of ${RUNS} runs, node ${process.version}; a query counts with that for the columns, a command with the start of node:`,
  );
  const bare = Array.from({ length: 5 }, () => {
    const bareAt = performance.now();
    spawnSync(process.execPath, [main, '--version']);
    return performance.now() - bareAt;
  });
  console.log(`  the program's start alone      ${ms(median(bare))}`);
  await measure('from the file', path);
  const config = join(folder, 'search.yaml');
  writeFileSync(
    config,
    `name: search
source: { tail: { paths: ['${folder}/none-*.log'] } }
checkpoint: { path: '${folder}/search.checkpoint' }
routes: [{ name: all, to: { duckdb: { path: '${path}' } } }]
`,
  );
  const service = spawn(process.execPath, [main, 'run', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    while (!existsSync(searchSocketPath(path)) && service.exitCode === null) await sleep(20);
    await measure('through the service', path);
  } finally {
    service.kill('SIGTERM');
    if (service.exitCode === null && service.signalCode === null) await once(service, 'exit');
    rmSync(path, { force: true });
  }
}
