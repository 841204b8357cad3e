import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Filters } from '../../src/service/search-arguments.js';
import { countQuery, everyQuery, histogramQuery, newestQuery, spanQuery } from '../../src/service/search-query.js';
import { identifier, jsonPointer } from '../../src/service/search-sql.js';

const NOW = Date.parse('2026-03-09T10:11:12.345Z');
const folder = mkdtempSync(join(tmpdir(), 'millrace-query-'));
let instance: DuckDBInstance;
let connection: DuckDBConnection;

const columns = [
  ['event.id', 'VARCHAR'],
  ['@timestamp', 'TIMESTAMP'],
  ['log.level', 'VARCHAR'],
  ['event.severity', 'SMALLINT'],
  ['message', 'VARCHAR'],
  ['pipeline', 'VARCHAR'],
  ['route', 'VARCHAR'],
  ['ingested', 'TIMESTAMP'],
  ['fields', 'JSON'],
  ['http.response.status_code', 'BIGINT'],
  ['host.name', 'VARCHAR'],
].map(([name = '', type = '']) => ({ name, type }));

beforeAll(async () => {
  instance = await DuckDBInstance.create(join(folder, 'store.duckdb'));
  connection = await instance.connect();
  await connection.run(`CREATE TABLE events (${columns.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`);
});

afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(folder, { recursive: true });
});

const rowOf = (values: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ ingested: '2026-03-09 10:00:00', ...values });

async function store(...rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  await connection.run('DELETE FROM events');
  for (const row of rows) {
    const selected = columns.map(({ name, type }) =>
      type === 'JSON'
        ? `json_extract($1::JSON, '${jsonPointer([name])}')`
        : `CAST(json_extract_string($1::JSON, '${jsonPointer([name])}') AS ${type})`,
    );
    await connection.run(`INSERT INTO events SELECT ${selected.join(', ')}`, [rowOf(row)]);
  }
}

const matching = (filters: Partial<Filters>): Parameters<typeof everyQuery>[0] => ({
  filters: { where: [], ...filters },
  columns,
  nowMs: NOW,
});

async function ids(filters: Partial<Filters>): Promise<readonly unknown[]> {
  const { sql, parameters = [] } = everyQuery(matching(filters));
  return (await connection.runAndReadAll(sql, [...parameters])).getRows().map(([id]) => id);
}

const where = (field: string, operator: '=' | '!=' | '~' | '<' | '>', value: string): Partial<Filters> => ({
  where: [{ field, operator, value }],
});

describe('a field and a value may be any text', () => {
  // Not the characters that cannot be in an argument, or are half of one.
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'));
  const nasty = fc.constantFrom(
    "'",
    '"',
    "x' OR 1=1 --",
    '$1',
    '/',
    '~0',
    '~1',
    'a/b',
    '\\',
    '%',
    '*',
    '$.a',
    '[0]',
    ';',
  );
  const any = fc.oneof(text, nasty).filter((value) => value !== '');

  it('finds the one event that has it', async () => {
    await fc.assert(
      fc.asyncProperty(any, any, any, async (field, value, other) => {
        fc.pre(!columns.some(({ name }) => name === field) && value !== other);
        fc.pre(!(Number(value) === Number(other)));
        await store(
          { 'event.id': 'has', fields: { [field]: value } },
          { 'event.id': 'has not', fields: { [field]: other } },
        );
        expect(await ids(where(field, '=', value))).toEqual(['has']);
        expect(await ids(where(field, '!=', value))).toEqual(['has not']);
      }),
      { numRuns: 60 },
    );
  });

  it('finds the one message that contains it', async () => {
    await fc.assert(
      fc.asyncProperty(any, async (value) => {
        fc.pre(value.trim() !== '' && !'another'.includes(value.toLowerCase()));
        await store({ 'event.id': 'has', message: `a ${value} b` }, { 'event.id': 'has not', message: 'another' });
        expect(await ids({ text: value })).toEqual(['has']);
      }),
      { numRuns: 30 },
    );
  });

  it('stays one name', async () => {
    const sql = `SELECT 1 AS ${identifier('a" FROM events; --')}`;
    expect((await connection.runAndReadAll(sql)).columnNames()).toEqual(['a" FROM events; --']);
  });
});

describe('a field with a column', () => {
  it('is also found where its value did not fit', async () => {
    await store(
      { 'event.id': 'fits', 'http.response.status_code': '500' },
      { 'event.id': 'does not', fields: { 'http.response.status_code': 'five hundred' } },
      { 'event.id': 'fraction', fields: { 'http.response.status_code': 1.5 } },
      { 'event.id': 'none' },
    );
    const field = 'http.response.status_code';
    expect(await ids(where(field, '=', '500'))).toEqual(['fits']);
    expect(await ids(where(field, '>', '499'))).toEqual(['fits']);
    expect(await ids(where(field, '~', 'hundred'))).toEqual(['does not']);
    expect(await ids(where(field, '!=', '500'))).toEqual(['does not', 'fraction', 'none']);
    expect(() => everyQuery(matching(where(field, '=', 'five')))).toThrow('expected a number');
    expect(() => everyQuery(matching(where('@timestamp', '<', 'soon')))).toThrow('expected a time');
  });

  it('compares texts as texts, and as numbers with numbers', async () => {
    await store(
      { 'event.id': '9', 'host.name': '9' },
      { 'event.id': '10', 'host.name': '10' },
      { 'event.id': 'b', 'host.name': 'b' },
    );
    expect(await ids(where('host.name', '>', '9.5'))).toEqual(['10']);
    expect(await ids(where('host.name', '>', 'a'))).toEqual(['b']);
  });

  it('reaches into objects', async () => {
    await store({ 'event.id': 'in', fields: { user: { id: 7 } } }, { 'event.id': 'flat', fields: { 'user.id': '7' } });
    expect(await ids(where('user.id', '=', '7'))).toEqual(['in', 'flat']);
  });
});

describe('levels', () => {
  it('are severities, or names where nobody has normalised them', async () => {
    await store(
      { 'event.id': 'n', 'event.severity': 13 },
      { 'event.id': 'w', 'log.level': ' Warning ' },
      { 'event.id': 'f', fields: { level: 'crit' } },
      { 'event.id': 'unknown', 'log.level': 'loud' },
    );
    expect(await ids({ severities: [13] })).toEqual(['n', 'w']);
    expect(await ids({ minSeverity: 13 })).toEqual(['n', 'w', 'f']);
  });
});

describe('time', () => {
  it('is when it happened, or when it came; the beginning is in, the end is not', async () => {
    await store(
      { 'event.id': 'early', '@timestamp': '2026-03-09 08:00:00' },
      { 'event.id': 'from', '@timestamp': '2026-03-09 09:00:00' },
      { 'event.id': 'to', '@timestamp': '2026-03-09 11:00:00' },
      { 'event.id': 'undated' },
    );
    const between = { since: '2026-03-09T09:00:00.000Z', until: '2026-03-09T11:00:00.000Z' };
    expect(await ids(between)).toEqual(['from', 'undated']);
    const read = async ({ sql, parameters = [] }: ReturnType<typeof newestQuery>): Promise<unknown[][]> =>
      (await connection.runAndReadAll(sql, [...parameters])).getRows();
    const newest = await read(newestQuery(matching({}), 2));
    expect(newest.map(([id]) => id)).toEqual(['to', 'undated']);
    const [[first, last] = []] = await read(spanQuery(matching({})));
    expect([first, last]).toEqual([1_773_043_200_000_000n, 1_773_054_000_000_000n]);
    expect((await read(histogramQuery(matching({}), Number(first) / 1000, 3_600_000))).sort()).toEqual([
      [0n, 1n],
      [1n, 1n],
      [2n, 1n],
      [3n, 1n],
    ]);
    expect((await read(countQuery(matching({}), 'pipeline', 10)))[0]?.map(String)).toEqual(['null', '4', '4', '1']);
  });

  it('leaves events of one time in their order', async () => {
    await store(...[1, 2, 3].map((id) => ({ 'event.id': id, '@timestamp': '2026-03-09 08:00:00' })));
    const { sql, parameters = [] } = newestQuery(matching({}), 2);
    expect((await connection.runAndReadAll(sql, [...parameters])).getRows().map(([id]) => id)).toEqual(['3', '2']);
  });
});
