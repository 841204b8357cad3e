import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogEvent } from '../../src/model/event.js';
import type { Origin } from '../../src/model/event.js';
import { EventRows } from '../../src/sinks/duckdb/event-rows.js';
import { tableOf } from '../../marble-tests/fakes/fake-database.js';

const outcome = { filtered: () => {}, rejected: () => {}, expanded: () => {} };

function eventOf(offset: number, fields: Record<string, unknown>, origin: Partial<Origin> = {}): LogEvent {
  return LogEvent.of({ incarnation: 'i', fields: {}, outcome, ...origin }, { offset, text: '' }).with({
    message: undefined,
    ...fields,
  });
}

function rowsOf(...events: LogEvent[]): Record<string, string>[] {
  const rows = new EventRows(100_000_000);
  for (const event of events) rows.add(event, rows.common('p', 'r', 'now'));
  return tableOf(rows.take());
}

const common = { pipeline: 'p', route: 'r', ingested: 'now' };

describe('rows of events', () => {
  it('have a column for each declared field and one for all the others', () => {
    expect(
      rowsOf(
        eventOf(0, { message: 'a', 'log.level': 'ERROR', 'event.severity': 17, user: 'x', pipeline: 'mine' }),
        eventOf(5, { message: 'b', 'http.response.status_code': '404' }, { fields: { 'log.file.path': '/l', n: 1 } }),
      ),
    ).toEqual([
      {
        ...common,
        'event.id': 'i:0',
        message: 'a',
        'log.level': 'ERROR',
        'event.severity': '17',
        fields: '{"user":"x","pipeline":"mine"}',
      },
      {
        ...common,
        'event.id': 'i:5',
        message: 'b',
        'http.response.status_code': '404',
        'log.file.path': '/l',
        fields: '{"n":1}',
      },
    ]);
  });

  it.each([
    ['event.severity', 40_000],
    ['event.severity', 1.5],
    ['http.response.status_code', '007'],
    ['http.response.status_code', { a: 1 }],
    ['message', ['a']],
    ['@timestamp', 'yesterday'],
    ['@timestamp', '2026-02-30T00:00:00Z'],
    ['@timestamp', '2026-01-01T24:00:00Z'],
    ['@timestamp', 5],
  ])('keep %s as JSON when %j does not fit its column', (field, value) => {
    expect(rowsOf(eventOf(0, { [field]: value }))).toEqual([
      { ...common, 'event.id': 'i:0', fields: JSON.stringify({ [field]: value }) },
    ]);
  });

  it('follow a field that changes its type, and forget nothing of one row in the next', () => {
    const rows = new EventRows(100_000_000);
    rows.add(eventOf(0, { message: 'a', 'url.port': 80 }), rows.common('p', 'r', 'now'));
    rows.add(eventOf(1, { message: 'a', 'url.port': 'http' }), rows.common('p', 'r', 'now'));
    expect(tableOf(rows.take()).map((row) => [row['url.port'], row['fields']])).toEqual([
      ['80', undefined],
      [undefined, '{"url.port":"http"}'],
    ]);
    rows.add(eventOf(2, {}), rows.common('p', 'r', 'now'));
    expect(tableOf(rows.take())).toEqual([{ ...common, 'event.id': 'i:2' }]);
  });

  it('survive values that JSON or the database cannot take', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const [row] = rowsOf(eventOf(0, { a: '\ud800', b: '\\ud800', c: 10n, d: cycle, e: () => 0, f: null, g: '\u0000' }));
    expect(JSON.parse(row!['fields']!)).toEqual({
      a: '\ufffd',
      b: '\\ud800',
      c: '10',
      d: '[object Object]',
      f: null,
      g: '\u0000',
    });
  });

  it('come out as they went in, whatever characters they are made of', () => {
    const nasty = fc.string({
      unit: fc.constantFrom('"', '\\', '\u0000', "'", '\n', '\u2028', '😀', 'ß', 'a'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.array(fc.option(nasty, { nil: undefined }), { minLength: 1, maxLength: 12 }), (messages) => {
        const table = rowsOf(...messages.map((message, at) => eventOf(at, { message })));
        expect(table.map(({ message }) => message)).toEqual(messages);
        expect(table.map((row) => row['event.id'])).toEqual(messages.map((_, at) => `i:${at}`));
      }),
      { numRuns: 200 },
    );
  });
});
