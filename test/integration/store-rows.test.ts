import fc from 'fast-check';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { LogEvent } from '../../src/model/event.js';
import type { Database } from '../../src/sinks/duckdb/database.js';
import { duckdbDatabase } from '../../src/sinks/duckdb/duckdb-database.js';
import { EventRows } from '../../src/sinks/duckdb/event-rows.js';
import { placeForEachTest } from './harness.js';
import { answered } from './stored.js';

const place = placeForEachTest();
const outcome = { filtered: () => {}, rejected: () => {}, expanded: () => {} };
const COMMON = ['p', "it's", '2026-01-01T00:00:00.000Z'] as const;

const MEMORY_BYTES = 100_000_000;

const opened = (memoryBytes = MEMORY_BYTES): Promise<Database> =>
  firstValueFrom(
    duckdbDatabase({ path: place().path('store.duckdb'), memoryBytes, threads: 2, report: () => undefined }),
  );

const write = (database: Database, rows: EventRows): Promise<unknown> =>
  lastValueFrom(database.write({ rows: rows.take(), positions: [], forgotten: [] }), { defaultValue: undefined });

const eventOf = (offset: number, fields: Record<string, unknown>, ofOrigin: Record<string, unknown> = {}): LogEvent =>
  LogEvent.of({ incarnation: 'i', fields: ofOrigin, outcome }, { offset, text: '' }).with({
    message: undefined,
    ...fields,
  });

const AWKWARD = [
  '',
  "'; DROP TABLE events; --",
  'a\u0000b',
  '"quotes" and \\ and \\u0041 and \\n',
  '\n\r\t\u001e\u001f\u0007\u2028',
  'ß 中 😀',
  '{"json":[1,2]}',
  'null',
  ' '.repeat(100_000),
];

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value).toString();
  if (Object.is(value, -0)) return 0;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [Buffer.from(key).toString(), wellFormed(each)]),
  );
}

/**
 * By a parser that is not V8's: that of Node 24 takes a key that is one escaped character for another one that it has seen
 * before, `{"\\":1}` and then `{"\"":1}`.
 */
function parsed(json: string): unknown {
  return parse(json, { uniqueKeys: false });
}

describe('rows in the database', () => {
  it('are what the events were: awkward texts, in columns and beside them, numbers and times of every kind', async () => {
    const rows = new EventRows(MEMORY_BYTES);
    const common = rows.common(...COMMON);
    AWKWARD.forEach((text, n) => rows.add(eventOf(n, { message: text, [text]: text }), common));
    rows.add(eventOf(20, { message: '\ud800', own: '\udc00', deep: { a: [1.5, 1e300, -0, 12345678901234] } }), common);
    rows.add(eventOf(21, { '@timestamp': '2026-02-28T23:59:59.123456Z', 'event.severity': 17 }), common);
    rows.add(eventOf(22, { 'url.port': 80, 'event.risk_score': 0.1 }, { 'host.name': 'h"1', rack: 7 }), common);
    rows.add(eventOf(23, { 'url.port': 'http', 'host.name': null }, { 'host.name': 'h2', rack: 8 }), common);
    const database = await opened();
    await write(database, rows);
    const table = await answered(database, 'SELECT * FROM events ORDER BY rowid');
    database.close();
    const found = table.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));
    const own = { pipeline: 'p', route: "it's", ingested: '2026-01-01T00:00:00.000Z' };
    expect(found).toEqual([
      ...AWKWARD.map((text, n) => ({ 'event.id': `i:${n}`, ...own, message: text, fields: { [text]: text } })),
      {
        'event.id': 'i:20',
        ...own,
        message: '\ufffd',
        fields: { own: '\ufffd', deep: { a: [1.5, 1e300, 0, 12345678901234] } },
      },
      { 'event.id': 'i:21', ...own, '@timestamp': '2026-02-28T23:59:59.123456Z', 'event.severity': 17 },
      {
        'event.id': 'i:22',
        ...own,
        'url.port': 80,
        'event.risk_score': 0.1,
        'host.name': 'h"1',
        fields: { rack: 7 },
      },
      { 'event.id': 'i:23', ...own, fields: { 'url.port': 'http', rack: 8 } },
    ]);
  });

  it('are what the events were, whatever they are', async () => {
    const database = await opened();
    const rows = new EventRows(MEMORY_BYTES);
    const common = rows.common(...COMMON);
    const unit = fc.constantFrom(
      '"',
      '\\',
      '\0',
      "'",
      '\n',
      '\u001f',
      '\u2028',
      '\ud800',
      '\udc00',
      '😀',
      'ß',
      'u',
      '0',
    );
    const text = fc.oneof(
      fc.string({ unit, maxLength: 12 }),
      fc.constantFrom('', 'null', '12', '-0', '1e999', '9223372036854775808', '\\ud800', '[{"a":1}]'),
    );
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(2 ** 63, 1e21, -(2 ** 64)),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, text, number, fc.boolean(), fc.constant(null), tie('list'), tie('map')),
      list: fc.array(tie('value'), { maxLength: 3 }),
      map: fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    }));
    let offset = 0;
    const events = fc.array(fc.record({ message: text, own: fc.dictionary(text, value, { maxKeys: 4 }) }), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(events, async (all) => {
        const from = offset;
        for (const { message, own } of all) rows.add(eventOf(offset++, { message, own }), common);
        await write(database, rows);
        const sql = `SELECT message, fields::VARCHAR AS fields FROM events WHERE rowid >= ${from} ORDER BY rowid`;
        const found = await answered(database, sql);
        expect(found.map((row) => ({ ...row, fields: parsed(String(row['fields'])) }))).toEqual(
          all.map(({ message, own }) => ({ message: wellFormed(message), fields: { own: wellFormed(own) } })),
        );
      }),
      { numRuns: 60 },
    );
    database.close();
  });

  it.each([
    ['messages of 1 MB', 20, 1_000_000, 0, 100_000_000],
    ['messages as long as they may be', 3, 8_000_000, 0, 100_000_000],
    ['messages in other scripts', 8, -300_000, 0, 100_000_000],
    ['many fields', 1000, 10, 300, 100_000_000],
    ['long messages in little memory', 8, 1_000_000, 0, 33_554_432],
    ['messages as long as they may be in little memory', 2, 2_700_000, 0, 33_554_432],
    ['many fields in little memory', 300, 10, 300, 33_554_432],
  ])(
    'may be large: %s',
    async (_, count, chars, fields, memoryBytes) => {
      const database = await opened(memoryBytes);
      const rows = new EventRows(memoryBytes);
      const common = rows.common(...COMMON);
      const message = chars < 0 ? '中'.repeat(-chars) : '"quoted" '.repeat(chars / 11);
      const others = Object.fromEntries(Array.from({ length: fields }, (__, n) => [`field ${n}`, 'value '.repeat(5)]));
      for (let transaction = 0; transaction < 3; transaction++) {
        for (let n = 0; n < count; n++)
          expect(rows.add(eventOf(transaction * count + n, { message, ...others }), common)).toBe(true);
        await write(database, rows);
      }
      const sql = 'SELECT count(*) AS n, min(length(message)) AS shortest, min(length(fields)) AS json FROM events';
      const [found] = await answered(database, sql);
      expect(found).toEqual({
        n: 3 * count,
        shortest: message.length,
        json: fields === 0 ? null : JSON.stringify(others).length,
      });
      database.close();
    },
    60_000,
  );

  it('may be many and long: the database takes them a piece at a time, within its memory', async () => {
    const rows = new EventRows(MEMORY_BYTES);
    const common = rows.common(...COMMON);
    const count = 12_000;
    for (let n = 0; n < count; n++) rows.add(eventOf(n, { message: `${n} ${'abc,"d" '.repeat(250)}` }), common);
    const database = await opened();
    await write(database, rows);
    const [found] = await answered(
      database,
      'SELECT count(DISTINCT "event.id") AS ids, count(message) AS n FROM events',
    );
    database.close();
    expect(found).toEqual({ ids: count, n: count });
  });
});
