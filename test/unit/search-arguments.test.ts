import { describe, expect, it } from 'vitest';
import { UsageFault } from '../../src/service/command-io.js';
import { searchArguments } from '../../src/service/search-arguments.js';
import { searchTime } from '../../src/service/search-time.js';

const NOW = Date.parse('2026-03-09T10:11:12.345Z');

const read = (...args: string[]): ReturnType<typeof searchArguments> => searchArguments(args, NOW);
const refused = (...args: string[]): string => {
  try {
    read(...args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageFault);
    return (error as Error).message;
  }
  throw new Error(`${args.join(' ')}: not refused`);
};

describe('searchTime', () => {
  it.each([
    ['45s', '2026-03-09T10:10:27.345Z'],
    ['15m', '2026-03-09T09:56:12.345Z'],
    ['2h', '2026-03-09T08:11:12.345Z'],
    ['1.5h', '2026-03-09T08:41:12.345Z'],
    ['3d', '2026-03-06T10:11:12.345Z'],
    ['1w', '2026-03-02T10:11:12.345Z'],
    ['now', '2026-03-09T10:11:12.345Z'],
    ['today', '2026-03-09T00:00:00.000Z'],
    ['Yesterday', '2026-03-08T00:00:00.000Z'],
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T05:06:07Z', '2026-03-01T05:06:07.000Z'],
    ['2026-03-01t05:06:07z', '2026-03-01T05:06:07.000Z'],
    ['2026-03-01T05:06:07+02:00', '2026-03-01T03:06:07.000Z'],
    ['2026-03-01 05:06', '2026-03-01T05:06:00.000Z'],
  ])('reads %s', (text, time) => {
    expect(searchTime(text, NOW)).toBe(time);
  });

  it.each(['', 'foo', '15', '15x', '-3h', '2026-13-01', '2026-02-30', '10:00', '999999999w'])('refuses %j', (text) => {
    expect(searchTime(text, NOW)).toBeUndefined();
  });
});

describe('searchArguments', () => {
  it('asks for the newest hundred events when nothing is given', () => {
    expect(read()).toMatchObject({ showing: { kind: 'events', limit: 100 }, isJson: false, filters: { where: [] } });
    expect(read().filters.text).toBeUndefined();
  });

  it('takes several words as one text', () => {
    expect(read('connection', 'refused').filters.text).toBe('connection refused');
  });

  it('reads levels by their names and aliases', () => {
    expect(read('--level', 'err,Warning, fatal').filters.severities).toEqual([17, 13, 21]);
    expect(read('--min-level', 'warn').filters.minSeverity).toBe(13);
  });

  it.each([
    ['a=b', { field: 'a', operator: '=', value: 'b' }],
    ['a.b-c!=', { field: 'a.b-c', operator: '!=', value: '' }],
    ['n>=5', { field: 'n', operator: '>=', value: '5' }],
    ['n <5', { field: 'n', operator: '<', value: '5' }],
    ['url=/a?b=c&d>e', { field: 'url', operator: '=', value: '/a?b=c&d>e' }],
    ['m~^a=b$', { field: 'm', operator: '~', value: '^a=b$' }],
    ['m=two\nlines', { field: 'm', operator: '=', value: 'two\nlines' }],
  ])('reads --where %j', (text, comparison) => {
    expect(read('--where', text).filters.where).toEqual([comparison]);
  });

  it('says what it expected', () => {
    expect(refused('--level', 'loud')).toBe(
      "--level must be one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL, but has 'loud'",
    );
    expect(refused('--since', 'foo')).toMatch(/^--since must be a time such as .*, but is 'foo'$/);
    expect(refused('--until', '2026-02-30')).toContain("but is '2026-02-30'");
    expect(refused('--where', 'status')).toMatch(/^--where must be FIELD=VALUE, .*, but is 'status'$/);
    expect(refused('--where', '=x')).toContain("but is '=x'");
    expect(refused('--limit', '1e3')).toBe("--limit must be a whole number, 0 for no limit, but is '1e3'");
    expect(refused('--bogus')).toContain("'--bogus'");
    expect(refused('--count', 'a', '--histogram')).toBe('--count and --histogram cannot be answered at once');
    expect(refused('--sql', 'SELECT 1', '--level', 'info')).toContain('--sql says it all');
    expect(refused('--sql', 'SELECT 1', 'text')).toContain('--sql says it all');
    expect(refused('--store', 'a', '--config', 'b')).toContain('give one of them');
  });
});
