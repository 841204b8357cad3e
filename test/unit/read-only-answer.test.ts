import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../src/model/json.js';
import { readOnlyAnswer } from '../../src/service/read-only-answer.js';
import type { Connect } from '../../src/sinks/duckdb/database.js';
import { duckdbDatabase, openForReading } from '../../src/sinks/duckdb/duckdb-database.js';

const WRITES = [
  'DELETE FROM events',
  'EXPLAIN ANALYZE DELETE FROM events',
  "COPY events TO 'OUT'",
  "ATTACH 'OUT'",
  'INSTALL httpfs',
  "SET memory_limit = '1GB'",
  'CREATE TABLE x (i INTEGER)',
  'CREATE TEMP TABLE x AS SELECT 1',
  'BEGIN',
  'CHECKPOINT',
  'ROLLBACK; DELETE FROM events',
  'SELECT 1; SELECT 2',
  '',
  "SELECT * FROM read_text('FILE')",
  "SELECT * FROM 'FILE'",
  "SELECT * FROM events WHERE EXISTS (SELECT * FROM read_csv('FILE'))",
  "WITH t AS (SELECT * FROM glob('*')) SELECT * FROM t",
  "EXPLAIN SELECT * FROM read_text('FILE')",
  "SUMMARIZE SELECT * FROM read_text('FILE')",
  "SELECT * FROM query('SELECT 1')",
  'FROM force_checkpoint()',
];

const READS = [
  'DESCRIBE events',
  'SUMMARIZE events',
  'SHOW TABLES',
  'EXPLAIN SELECT 1',
  'EXPLAIN ANALYZE SELECT count(*) FROM events',
  'FROM events LIMIT 1',
  'WITH t AS (SELECT 1) SELECT * FROM t',
  'SELECT date_trunc(\'minute\', "@timestamp") AS m, count(*) FROM events GROUP BY m ORDER BY m',
  'SELECT unnest(json_keys(fields)) FROM events LIMIT 3',
  'SELECT * FROM range(3)',
  'SELECT table_name FROM information_schema.tables',
];

const folder = mkdtempSync(join(tmpdir(), 'millrace-read-'));
const path = join(folder, 'store.duckdb');
const file = join(folder, 'x.csv');
const out = join(folder, 'out.csv');

beforeAll(async () => {
  writeFileSync(file, 'a,b\n1,2\n');
  const instance = await DuckDBInstance.create(path);
  const writer = await instance.connect();
  await writer.run('CREATE TABLE events ("@timestamp" TIMESTAMP, fields JSON)');
  await writer.run(`INSERT INTO events VALUES (TIMESTAMP '2026-03-09 10:11:12.3456', '{"a":1}'), (NULL, NULL)`);
  writer.closeSync();
  instance.closeSync();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The two ways to a store: the service that writes it, and the file alone. */
const WAYS: readonly (readonly [string, () => Promise<{ readonly connect: Connect; close(): void }>])[] = [
  ['file', () => openForReading(path)],
  ['service', () => firstValueFrom(duckdbDatabase({ path, memoryBytes: 1e8, threads: 1, report: () => {} }))],
];

describe.each(WAYS)('readOnlyAnswer, asking the %s', (_, open) => {
  async function asked(sql: string): Promise<readonly (readonly Json[])[]> {
    const database = await open();
    const connection = await database.connect();
    try {
      const rows: (readonly Json[])[] = [];
      for await (const run of (await readOnlyAnswer(connection, { sql })).rows) rows.push(...run);
      return rows;
    } finally {
      connection.close();
      database.close();
    }
  }

  it.each(WRITES)('refuses %s', async (sql) => {
    const named = sql.replace('FILE', file).replace('OUT', out);
    await expect(asked(named)).rejects.toMatchObject({ code: 'MILLRACE_E_SEARCH_QUERY' });
    expect(existsSync(out)).toBe(false);
    expect(await asked('SELECT count(*) FROM events')).toEqual([[2]]);
  });

  it.each(READS)('answers %s', async (sql) => {
    expect((await asked(sql)).length).toBeGreaterThan(0);
  });

  it('gives values as JSON has them', async () => {
    const sql = `SELECT "@timestamp", fields, 9007199254740993, 1.50::DECIMAL(9, 2), [1, NULL], {'k': DATE '2026-01-02'},
      'nan'::DOUBLE, TIMESTAMPTZ '2026-01-02 03:04:05.678+02', TIME '10:00:00', INTERVAL 3 HOUR, TIMESTAMP 'infinity',
      TIMESTAMP '1969-12-31 23:59:59.9' FROM events LIMIT 1`;
    expect(await asked(sql)).toEqual([
      [
        '2026-03-09T10:11:12.3456Z',
        { a: 1 },
        '9007199254740993',
        1.5,
        [1, null],
        { k: '2026-01-02' },
        null,
        '2026-01-02T01:04:05.678Z',
        '10:00:00',
        '03:00:00',
        'infinity',
        '1969-12-31T23:59:59.900Z',
      ],
    ]);
  });
});
