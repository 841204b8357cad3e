import * as fc from 'fast-check';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { parse } from '../../src/operators/parse.js';
import type { ParseConfig } from '../../src/operators/parse.js';
import { placeOf } from '../../src/testing/place-of.js';
import type { Place } from '../../src/testing/place-of.js';
import { standingCases } from './standing-cases.js';

const piped: ParseConfig = { format: 'delimited', separator: '|', fields: ['time', 'level', 'message'] };

/** The fields of what comes out; what does not is in the place's counts. */
function parsed(config: ParseConfig, texts: readonly string[], place: Place = placeOf()): unknown[] {
  const got: unknown[] = [];
  from(texts.map((text) => place.raw(text)))
    .pipe(parse(config))
    .subscribe((event) => got.push(event.fields));
  return got;
}

/** Why a text cannot be parsed. */
function fault(config: ParseConfig, text: string): unknown {
  const place = placeOf();
  expect(parsed(config, [text], place)).toEqual([]);
  expect(place.counts).toBe('0/0/1');
  const [letter] = place.tally.deadLetters;
  expect(letter?.record.text).toBe(text);
  return letter?.reason;
}

describe('parse', () => {
  standingCases(() => parse(piped), 't|l|m');
  standingCases(() => parse({ format: 'logfmt' }), 'a=1 b');

  it('blank lines are filtered, whatever the format', () => {
    for (const config of [piped, { format: 'json' }, { format: 'regex', pattern: '(?<a>.*)' }] as const) {
      const place = placeOf();
      expect(parsed(config, ['', ' ', '\t\r', '\u00a0', '\u0000'.repeat(0)], place).length).toBe(
        config.format === 'regex' ? 1 : 0,
      );
      expect(place.tally.filteredCount).toBeGreaterThanOrEqual(4);
    }
  });

  it('an event without a text is passed on', () => {
    const place = placeOf();
    const event = place.event({ message: 7 });
    const got: unknown[] = [];
    from([event])
      .pipe(parse(piped))
      .subscribe((each) => got.push(each));
    expect(got).toEqual([event]);
  });

  it('parses a field `message` that another stage has made', () => {
    const place = placeOf();
    const got: unknown[] = [];
    from([place.event({ message: '{"a":1}', b: 2 })])
      .pipe(parse({ format: 'json' }))
      .subscribe((each) => got.push(each.fields));
    expect(got).toEqual([{ a: 1 }]);
  });
});

describe('delimited', () => {
  it('level and time are trimmed, message is kept as it is', () => {
    expect(parsed(piped, [' t | l |  m  ', '\u2003t|l\u00a0| ', 't|l|'])).toEqual([
      { time: 't', level: 'l', message: '  m  ' },
      { time: 't', level: 'l', message: ' ' },
      { time: 't', level: 'l', message: '' },
    ]);
  });

  it('the last field keeps every further separator', () => {
    expect(parsed(piped, ['t|l|m|n||'])).toEqual([{ time: 't', level: 'l', message: 'm|n||' }]);
    expect(parsed({ ...piped, fields: ['a', 'b'] }, ['1|2|3 '])).toEqual([{ a: '1', b: '2|3' }]);
  });

  it('fewer fields than named are a fault', () => {
    expect(fault(piped, 't|l')).toMatchObject({ code: 'MILLRACE_E_PARSE_FIELDS' });
    expect(fault(piped, 'nothing')).toHaveProperty('message', expect.stringContaining('1 of 3'));
  });

  it('separators of several characters, and one field alone', () => {
    expect(parsed({ ...piped, separator: ' :: ' }, ['t :: l :: m :: n:: '])).toEqual([
      { time: 't', level: 'l', message: 'm :: n:: ' },
    ]);
    expect(parsed({ ...piped, separator: '||' }, ['t|||l||m'])).toEqual([{ time: 't', level: '|l', message: 'm' }]);
    expect(parsed({ ...piped, fields: ['all'] }, [' a|b '])).toEqual([{ all: 'a|b' }]);
  });
});

describe('json', () => {
  const json: ParseConfig = { format: 'json' };

  it('objects inside become dotted names; arrays and empty objects stay', () => {
    const line = '{"a":{"b":{"c":1},"d":[{"e":2}]},"f":{},"g":null,"h":false}';
    expect(parsed(json, [line])).toEqual([{ 'a.b.c': 1, 'a.d': [{ e: 2 }], f: {}, g: null, h: false }]);
  });

  it('lines that look alike, and then do not', () => {
    const lines = ['{"a":1,"b":2}', '{"a":3,"b":4}', '{"b":5,"a":6}', '{"a":7}', '{"a":8,"b":9}', '{}'];
    expect(parsed(json, lines)).toEqual(lines.map((line) => JSON.parse(line) as unknown));
  });

  it('a key __proto__ is a field like others', () => {
    const place = placeOf();
    const got: unknown[] = [];
    from([place.raw('{"__proto__":{"level":"FATAL"},"a":1}')])
      .pipe(parse(json))
      .subscribe((event) => got.push(event.shape.keys, event.get('level'), event.get('a')));
    expect(got).toEqual([['__proto__.level', 'a'], undefined, 1]);
    expect(({} as Record<string, unknown>).level).toBeUndefined();
  });

  it('what is not an object is a fault', () => {
    for (const line of ['[1]', '1', '"a"', 'null', '{', 'x', '{"a":1} x']) {
      expect(fault(json, line)).toMatchObject({ code: 'MILLRACE_E_PARSE_JSON' });
    }
  });

  it('deep objects are flattened up to a bound; beyond every reason they are a fault, not a crash', () => {
    const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
    expect(parsed(json, [nested(16)])).toEqual([{ [new Array(16).fill('a').join('.')]: 1 }]);
    expect(parsed(json, [nested(18)])).toEqual([{ [new Array(16).fill('a').join('.')]: { a: { a: 1 } } }]);
    expect(parsed(json, [nested(100)])).toHaveLength(1);
    expect(fault(json, nested(200))).toMatchObject({ code: 'MILLRACE_E_PARSE_JSON' });
    expect(fault(json, `{"a":${'['.repeat(5e5)}${']'.repeat(5e5)}}`)).toMatchObject({ code: 'MILLRACE_E_PARSE_JSON' });
  });
});

describe('logfmt', () => {
  const logfmt: ParseConfig = { format: 'logfmt' };

  it('pairs between white space, quoted where they have spaces; a bare key is true', () => {
    expect(parsed(logfmt, ['at=info method=GET path="/a b" msg="" debug dyno=web.1 ', '\ta=1  b=x=y\t'])).toEqual([
      { at: 'info', method: 'GET', path: '/a b', msg: '', debug: true, dyno: 'web.1' },
      { a: '1', b: 'x=y' },
    ]);
    expect(parsed(logfmt, ['a= b="x"c=1 d=mid"dle'])).toEqual([{ a: '', b: 'x', c: '1', d: 'mid"dle' }]);
  });

  it('escapes as in JSON; what is none is the character itself', () => {
    expect(parsed(logfmt, [String.raw`a="say \"hi\"" b="x\\" c="l1\nl2\t\u00e9\q" d=\n`])).toEqual([
      { a: 'say "hi"', b: 'x\\', c: 'l1\nl2\té' + 'q', d: '\\n' },
    ]);
  });

  it('of a key that comes twice the last value is kept', () => {
    expect(parsed(logfmt, ['a=1 b=2 a=3', 'a a=1', 'a=1 a'])).toEqual([{ a: '3', b: '2' }, { a: '1' }, { a: true }]);
  });

  it('lines that look alike, and then do not; a key __proto__ is a field like others', () => {
    expect(parsed(logfmt, ['a=1 b=2', 'a=3 b=4', 'b=5 a=6', 'a=7'])).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
      { b: '5', a: '6' },
      { a: '7' },
    ]);
    expect(parsed(logfmt, ['__proto__=1']).map((fields) => Object.keys(fields as object))).toEqual([['__proto__']]);
  });

  it('a line without any pair, without a key, or with an open quote is a fault', () => {
    for (const line of ['hello world', '=1', 'a=1 =2', 'a="x', 'a="x\\"', '"a b" c']) {
      expect(fault(logfmt, line)).toMatchObject({ code: 'MILLRACE_E_PARSE_LOGFMT' });
    }
  });

  it('takes any text, and what it wrote itself comes back', () => {
    fc.assert(fc.property(fc.string(), (text) => parsed(logfmt, [text]).length <= 1));
    const value = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z.]+$/), value, { minKeys: 1 }), (fields) => {
        const line = Object.entries(fields).map(([key, each]) => `${key}=${JSON.stringify(each)}`);
        expect(parsed(logfmt, [line.join(' ')])).toEqual([{ ...fields }]);
      }),
    );
  });
});

describe('pattern', () => {
  const pattern: ParseConfig = {
    format: 'regex',
    pattern: '^(?<level>\\w+ *)(?: \\[(?<thread>[^\\]]*)\\])? -(?<message>.*)$',
  };

  it('named groups become fields, trimmed but for message; one that took no part makes none', () => {
    expect(parsed(pattern, ['WARN  [ main ] - m ', 'INFO - m', 'WARN [] -'])).toEqual([
      { level: 'WARN', thread: 'main', message: ' m ' },
      { level: 'INFO', message: ' m' },
      { level: 'WARN', thread: '', message: '' },
    ]);
  });

  it('what does not match is a fault, and what is too long is not tried', () => {
    expect(fault(pattern, 'no')).toMatchObject({ code: 'MILLRACE_E_PARSE_PATTERN' });
    expect(fault({ ...pattern, maxInputChars: 5 }, 'INFO - m')).toMatchObject({ code: 'MILLRACE_E_PARSE_TOO_LONG' });
    expect(parsed({ ...pattern, maxInputChars: 8 }, ['INFO - m'])).toHaveLength(1);
  });

  it('a pattern without named groups, or none at all, is an error at once', () => {
    expect(() => parse({ format: 'regex', pattern: '(a)' })).toThrow(
      expect.objectContaining({ code: 'MILLRACE_E_PARSE_PATTERN_GROUPS' }),
    );
    expect(() => parse({ format: 'regex', pattern: '(' })).toThrow(SyntaxError);
  });
});
