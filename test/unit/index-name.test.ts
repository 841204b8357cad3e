import { describe, expect, it } from 'vitest';
import { indexNamer, indexPatternFault, indexWildcard } from '../../src/sinks/elasticsearch/index-name.js';

function named(pattern: string, fields: Readonly<Record<string, unknown>>, arrivedMs?: number): string {
  return indexNamer(pattern)({ get: (field) => fields[field], arrivedMs });
}

describe('the index of an event', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['logs', {}, 'logs'],
    ['logs-{@timestamp:yyyy.MM.dd}', { '@timestamp': '2026-11-23T23:59:59.999Z' }, 'logs-2026.11.23'],
    ['l-{@timestamp:yyyy-MM-dd_HH}', { '@timestamp': '2026-11-23T23:59:59Z' }, 'l-2026-11-23_23'],
    [
      '{service.name}-{@timestamp:yyyy}',
      { 'service.name': 'Order API', '@timestamp': '2026-01-01T00:00:00Z' },
      'order-api-2026',
    ],
    ['logs-{service.name}', {}, 'logs-unknown'],
    ['logs-{service.name}', { 'service.name': { a: 1 } }, 'logs-unknown'],
    ['logs-{n}-x', { n: 7 }, 'logs-7-x'],
    ['logs-{@timestamp:yyyy.MM}', { '@timestamp': 'yesterday' }, 'logs-undated'],
    ['logs-{@timestamp:yyyy.MM}', { '@timestamp': '2026-11-23T23:00:00+02:00' }, 'logs-undated'],
    ['logs-{@timestamp:yyyy.MM}', {}, 'logs-undated'],
  ])('%s of %j is %s', (pattern, fields, name) => {
    expect(indexPatternFault(pattern)).toBeUndefined();
    expect(named(pattern, fields)).toBe(name);
  });

  it.each([{}, { '@timestamp': 'yesterday' }])(
    'has the date when it came in where it has none itself: %j',
    (fields) => {
      const arrivedMs = Date.UTC(2026, 10, 23, 23, 59);
      expect(named('l-{@timestamp:yyyy.MM.dd.HH}', fields, arrivedMs)).toBe('l-2026.11.23.23');
    },
  );

  it('has its own date rather than when it came in', () => {
    const fields = { '@timestamp': '2026-11-23T23:59:59.999Z' };
    expect(named('l-{@timestamp:dd}', fields, Date.UTC(2027, 0, 1))).toBe('l-23');
  });

  it('remembers no date of another event', () => {
    const nameOf = indexNamer('l-{@timestamp:dd.HH}');
    const times = [
      '2026-11-23T23:00:00Z',
      'odd',
      '2026-11-23T23:10:00Z',
      undefined,
      '2026-11-24T00:00:00Z',
      '2026-11-24T00:00:00+01:00',
    ];
    expect(times.map((time) => nameOf({ get: () => time, arrivedMs: undefined }))).toEqual([
      ...['l-23.23', 'l-undated', 'l-23.23', 'l-undated', 'l-24.00', 'l-undated'],
    ]);
  });

  it('is never longer than Elasticsearch takes', () => {
    const name = named('logs-{service.name}', { 'service.name': 'ä'.repeat(300) });
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    expect(name.startsWith('logs-ä')).toBe(true);
  });

  it.each([
    'Logs',
    '-logs',
    '_logs',
    'a b',
    'a*',
    'a{',
    '{}',
    'l-{time:yyyy}',
    'l-{@timestamp:yyyyMMM}',
    'l-{@timestamp:}',
    '',
  ])('%j is refused', (pattern) => {
    expect(indexPatternFault(pattern)).toMatch(/^expected/);
  });

  it('says which indices there may be', () => {
    expect(indexWildcard('logs-{service.name}-{@timestamp:yyyy.MM.dd}')).toBe('logs-*-*');
    expect(indexWildcard('{a}{b}-x')).toBe('*-x');
  });
});
