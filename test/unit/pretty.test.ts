import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { LogEvent } from '../../src/model/event.js';
import type { Origin } from '../../src/model/event.js';
import { neutralise, neutraliseJson, prettyDeadLetter, prettyLine } from '../../src/sinks/console/pretty.js';

const outcome = { filtered: () => {}, rejected: () => {}, expanded: () => {} };
const origin: Origin = { incarnation: 'i1', fields: { 'log.file.path': '/var/log/app.log', env: 'demo' }, outcome };
const plain = { colours: false };

function eventOf(fields: Record<string, unknown>): LogEvent {
  return LogEvent.of(origin, { offset: 17, text: '' }).with({ message: undefined, ...fields });
}

const parsed = eventOf({
  '@timestamp': '2026-03-09T10:11:12.345Z',
  'log.level': 'WARN',
  'event.severity': 13,
  message: 'pool exhausted',
  durationMs: 83,
});

describe('prettyLine', () => {
  it('shows time, level, file, message and further fields', () => {
    expect(prettyLine(parsed, plain)).toBe('10:11:12.345 WARN  app.log pool exhausted durationMs=83');
  });

  it('shows the service where one is known', () => {
    expect(prettyLine(parsed.with({ 'service.name': 'payment' }), plain)).toContain(' payment pool exhausted');
  });

  it('shows a line that was not parsed as it is, with the file before it', () => {
    expect(prettyLine(eventOf({ message: '  at foo()' }), plain)).toBe('app.log   at foo()');
  });

  it('shows what normalize could not read', () => {
    expect(prettyLine(eventOf({ time: 'yesterday', level: 'loud', message: 'm' }), plain)).toBe(
      'yesterday LOUD  app.log m',
    );
  });

  it('quotes values with spaces, and writes objects as JSON', () => {
    const line = prettyLine(eventOf({ message: 'm', user: 'Ann Lee', empty: '', tags: ['a'], none: null }), plain);
    expect(line).toBe('app.log m user="Ann Lee" empty="" tags=["a"] none=null');
  });

  it('colours by severity', () => {
    const line = (severity: number): string =>
      prettyLine(eventOf({ 'log.level': 'X', 'event.severity': severity, message: 'm' }), { colours: true });
    expect(line(17)).toContain('\u001b[31mX    \u001b[0m');
    expect(line(18)).toBe(line(17));
    expect(new Set([1, 5, 9, 13, 17, 21].map(line)).size).toBe(6);
    expect(prettyLine(parsed, plain)).not.toContain('\u001b');
  });

  it('lets nothing in a log act on the terminal, be it in a name, a value or the level', () => {
    const bad = '\u001b[2J\r\n\u009b1m\u202e\u0000';
    const line = prettyLine(
      eventOf({ time: bad, level: bad, message: bad, 'service.name': bad, [bad]: bad, more: [bad] }),
      plain,
    );
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(line).toContain('\\x1b[2J\\r\\n\\x9b1m\\u202e\\x00');
  });
});

describe('neutralise', () => {
  it('leaves readable text alone', () => {
    const text = 'Grüße, 李雷 👩‍🚀 | a=b "c" \\n';
    expect(neutralise(text)).toBe(text);
  });

  it('makes the rest visible', () => {
    expect(neutralise('a\tb\nc\rd\u001be\u007ff\u0085g\u2028h\u2066i\u200f')).toBe(
      'a    b\\nc\\rd\\x1be\\x7ff\\x85g\\u2028h\\u2066i\\u200f',
    );
  });

  it('keeps JSON the same JSON', () => {
    const value = { 'a\u009b': '\u001b[0m \u202e \u007f "' };
    const json = neutraliseJson(JSON.stringify(value));
    expect(json).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(JSON.parse(json)).toEqual(value);
  });
});

describe('prettyDeadLetter', () => {
  const reason = new MillraceError('MILLRACE_E_PARSE_FIELDS', '1 of 3');

  it('shows code, message, place and the original', () => {
    const letter = { origin, record: { offset: 17, text: 'no\u001bfields' }, index: 0, reason };
    expect(prettyDeadLetter(letter, plain)).toBe(
      'MILLRACE_E_PARSE_FIELDS the line has fewer fields than named: 1 of 3 /var/log/app.log:17 no\\x1bfields',
    );
  });

  it('shortens the original and names other errors', () => {
    const record = { offset: 3, text: 'x'.repeat(5000) };
    const letter = { origin: { ...origin, fields: {} }, record, index: 0, reason: new TypeError('boom') };
    const line = prettyDeadLetter(letter, plain);
    expect(line).toMatch(/^TypeError boom i1:3 x{200}… \(5000 characters\)$/);
    expect(prettyDeadLetter(letter, { colours: true })).toContain('\u001b[31mTypeError\u001b[0m');
  });
});
