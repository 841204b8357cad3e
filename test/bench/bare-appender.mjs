// What DuckDB's own appender does with the same rows as main.mjs's pipeline: data chunks, which are faster than single
// values, and a commit every 20 000 rows. Nothing is read, parsed, or kept apart; the rows are in memory already.
import * as duckdb from '@duckdb/node-api';
import { lineAt } from './input.mjs';

const [, , path, count] = process.argv;
const ROWS = Number(count);
const COMMIT_ROWS = 20_000;
const CHUNK_ROWS = 2048;
const instance = await duckdb.DuckDBInstance.create(path, { threads: '2', memory_limit: '96MiB' });
const connection = await instance.connect();
await connection.run(
  'CREATE TABLE events ("event.id" VARCHAR NOT NULL, "@timestamp" TIMESTAMP, "log.level" VARCHAR, "event.severity" SMALLINT, message VARCHAR, pipeline VARCHAR, route VARCHAR, ingested TIMESTAMP, fields VARCHAR, "log.file.path" VARCHAR)',
);
const { VARCHAR, TIMESTAMP, SMALLINT } = duckdb;
const types = [VARCHAR, TIMESTAMP, VARCHAR, SMALLINT, VARCHAR, VARCHAR, VARCHAR, TIMESTAMP, VARCHAR, VARCHAR];
const lines = Array.from({ length: COMMIT_ROWS }, (_, n) => lineAt(n).trimEnd().split('|'));
const ingested = new duckdb.DuckDBTimestampValue(BigInt(Date.now()) * 1000n);

function chunkOf(from, to, base) {
  const columns = types.map(() => []);
  for (let n = from; n < to; n++) {
    const [time, level, message] = lines[n];
    const row = [
      `0123456789abcdef:${(base + n) * 130}`,
      new duckdb.DuckDBTimestampValue(BigInt(Date.parse(time)) * 1000n),
      level,
      9,
      message,
      'store',
      'all',
      ingested,
      null,
      '/var/log/input.log',
    ];
    for (let at = 0; at < columns.length; at++) columns[at].push(row[at]);
  }
  const chunk = duckdb.DuckDBDataChunk.create(types, to - from);
  chunk.setColumns(columns);
  return chunk;
}

const startedAt = performance.now();
for (let base = 0; base < ROWS; base += COMMIT_ROWS) {
  const end = Math.min(COMMIT_ROWS, ROWS - base);
  await connection.run('BEGIN');
  const appender = await connection.createAppender('events');
  for (let from = 0; from < end; from += CHUNK_ROWS) {
    appender.appendDataChunk(chunkOf(from, Math.min(end, from + CHUNK_ROWS), base));
  }
  appender.closeSync();
  await connection.run('COMMIT');
}
const seconds = (performance.now() - startedAt) / 1000;
connection.closeSync();
instance.closeSync();
console.log(JSON.stringify({ read: ROWS, delivered: ROWS, seconds }));
