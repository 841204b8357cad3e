import { describe, expect, it } from 'vitest';
import { countLines, eventFields, eventLine, planLines, Table } from '../../src/service/search-output.js';

const columns = ['event.id', '@timestamp', 'log.level', 'message', 'fields', 'host.name', 'time', 'row'].map(
  (name) => ({
    name,
    type: 'VARCHAR',
  }),
);
const TIME = '2026-03-09T10:11:12.345Z';
const plain = { isJson: false, colours: false };

describe('eventFields', () => {
  it('is the event as it was stored: no nulls, keys of `fields` beside the others, the id last', () => {
    const row = ['i:1', TIME, null, 'm', { user: 'ann', nothing: null, 'a.b': [1] }, 'h', TIME, 7];
    expect(Object.entries(eventFields(columns, row))).toEqual([
      ['@timestamp', TIME],
      ['message', 'm'],
      ['host.name', 'h'],
      ['user', 'ann'],
      ['nothing', null],
      ['a.b', [1]],
      ['event.id', 'i:1'],
    ]);
  });

  it('takes any name for a field', () => {
    const fields = eventFields(columns, ['i:1', null, null, null, JSON.parse('{"__proto__":"x","time":"t"}'), null]);
    expect(JSON.stringify(fields)).toBe('{"__proto__":"x","time":"t","event.id":"i:1"}');
  });
});

describe('eventLine', () => {
  it('shows the date, then what the console shows', () => {
    const fields = eventFields(columns, ['i:1', TIME, 'WARN', 'low', { n: 3 }, null]);
    expect(eventLine(fields, plain)).toBe('2026-03-09 10:11:12.345 WARN  low n=3');
  });

  it('shows an event that was never parsed as it is', () => {
    expect(eventLine(eventFields(columns, ['i:1', null, null, '  at foo()', null, null]), plain)).toBe('  at foo()');
  });

  it('lets nothing in an event act on the terminal', () => {
    const bad = '\u001b[2J\u202e\n';
    const fields = eventFields(columns, ['i:1', bad, bad, bad, { [bad]: bad }, bad]);
    for (const isJson of [true, false]) {
      const line = eventLine(fields, { isJson, colours: false });
      expect(line).not.toMatch(/[\u0000-\u001f\u202e]/);
      expect(line).toContain('[2J');
    }
    expect(JSON.parse(eventLine(fields, { isJson: true, colours: true }))).toEqual(fields);
  });
});

describe('countLines', () => {
  it('shows count, share and bar', () => {
    expect(
      countLines(
        [
          { value: 'INFO', count: 75 },
          { value: null, count: 25 },
        ],
        100,
      ),
    ).toEqual([`INFO    75   75.0 %  ${'█'.repeat(30)}`, `(none)  25   25.0 %  ${'█'.repeat(10)}`]);
  });

  it('neutralises and cuts values', () => {
    const [line = ''] = countLines([{ value: `\u001b[2J${'x'.repeat(100)}`, count: 1 }], 1);
    expect(line).not.toContain('\u001b');
    expect(line).toContain('…');
  });
});

describe('Table', () => {
  it('has the names above, once', () => {
    const table = new Table([
      { name: 'a', type: 'VARCHAR' },
      { name: 'long name', type: 'BIGINT' },
    ]);
    expect(table.lines([['x', 1]])).toEqual(['a  long name', '─  ─────────', 'x  1']);
    expect(table.lines([[null, { b: '\u001b' }]])).toEqual(['   {"b":"\\u001b"}']);
  });
});

describe('planLines', () => {
  it('keeps what was drawn, and nothing that acts on the terminal', () => {
    const columns = ['explain_key', 'explain_value'].map((name) => ({ name, type: 'VARCHAR' }));
    expect(planLines(columns, [['plan', '┌─┐\n└─┘\u001b[2J']])).toEqual(['┌─┐', '└─┘\\x1b[2J']);
  });
});
