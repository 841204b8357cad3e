import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { LogEvent } from '../../src/model/event.js';
import { deadLetterJson, eventSerialiser } from '../../src/model/serialise.js';
import { placeOf } from '../../src/testing/place-of.js';

type Fields = Readonly<Record<string, unknown>>;

function parsed(text: string): Fields {
  expect(text).not.toMatch(/[\n\r]/);
  return JSON.parse(text) as Fields;
}

/** What JSON makes of the merged fields: the event's own, then the origin's, then the id. */
function merged(origin: Fields, own: Fields, id: string): Fields {
  return JSON.parse(JSON.stringify({ ...origin, ...own, 'event.id': id })) as Fields;
}

// Without escapes: JSON.parse of Node 24.21 takes a key "\n" for "\\" when it has seen that one just before.
const key = fc.oneof(
  fc.string({ unit: 'binary' }).filter((name) => name.length === JSON.stringify(name).length - 2),
  fc.constantFrom('message', 'event.id', 'a', 'a.b'),
);
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  // Long ones are looked at in another way; most of a log is plain.
  fc.tuple(fc.constantFrom('', 'é', '"', '\\', '\n', '\ud800', '\u{1f600}'), fc.nat(60)).map(([odd, at]) => {
    const plainText = 'request answered by worker 7 in 7 ms, status 202 (/api/v1/orders)';
    return plainText.slice(0, at) + odd + plainText.slice(at);
  }),
  fc.constantFrom('\ud800', '\udc00x', '"', '\\', '\u0000', '\u001f', '\u2028', '\u{1f600}', ''),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined, Number.NaN, Infinity, -0),
  fc.jsonValue(),
);
const fields = fc
  .array(fc.tuple(key, value), { maxLength: 6 })
  .map((entries) => Object.fromEntries(entries.filter(([name]) => name !== '__proto__')) as Fields);

describe('eventSerialiser', () => {
  it('writes valid JSON, equal to the merged object; one serialiser for all events', () => {
    const write = eventSerialiser();
    fc.assert(
      fc.property(fields, fields, fc.nat(3), (origin, own, index) => {
        const given = placeOf(origin).event({}).nth(index);
        const { message, ...rest } = own;
        const event = given.with(message === undefined ? rest : own);
        const expected = merged(origin, event.fields, event.id);
        expect(parsed(write(event))).toEqual(expected);
        // The same shape again, then another one.
        expect(parsed(write(event))).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('names are escaped, too', () => {
    const name = '"\\\n\u0000\ud800';
    expect(eventSerialiser()(placeOf().event({ [name]: 1 }))).toBe(`{${JSON.stringify(name)}:1,"event.id":"i:0"}`);
  });

  it('a text that is not well formed is written as well-formed JSON', () => {
    const text = eventSerialiser()(placeOf().event({ a: '\ud800', b: 'x\udc00', c: '\u{1f600}' }));
    expect(Buffer.from(text).toString()).toBe(text);
    expect(parsed(text)).toMatchObject({ a: '\ud800', b: 'x\udc00', c: '\u{1f600}' });
  });

  it('event.id cannot be given by a line or by a source', () => {
    const event = placeOf({ 'event.id': 'forged' }).event({ 'event.id': 'forged', a: 1 });
    const text = eventSerialiser()(event);
    expect(parsed(text)).toEqual({ a: 1, 'event.id': 'i:0' });
    expect(text).not.toContain('forged');
  });

  it('the event’s own field wins over the origin’s; a field without a value is left out', () => {
    const event = placeOf({ a: 'origin', b: 'origin' }).event({ a: 'own', c: () => 1 });
    expect(parsed(eventSerialiser()(event))).toEqual({ a: 'own', b: 'origin', 'event.id': 'i:0' });
  });

  it('events of different origins and shapes do not mix', () => {
    const write = eventSerialiser();
    const [one, two] = [placeOf({ a: 1 }), placeOf({ a: 2 })];
    const texts = [one.raw('x'), two.raw('y'), one.event({ b: 1 }), two.raw('z')].map((event) => parsed(write(event)));
    expect(texts).toEqual([
      { message: 'x', a: 1, 'event.id': 'i:0' },
      { message: 'y', a: 2, 'event.id': 'i:0' },
      { b: 1, a: 1, 'event.id': 'i:1' },
      { message: 'z', a: 2, 'event.id': 'i:1' },
    ]);
  });
});

describe('eventSerialiser, with what only others can make', () => {
  it('writes what JSON cannot say as text, and an id with any characters', () => {
    const cycle: unknown[] = [];
    cycle.push({ cycle });
    const { origin, record, shape, values } = placeOf({}).event({ big: 12n, cycle });
    const event = new LogEvent({ ...origin, incarnation: 'key "1"' }, record, 0, shape, values);
    expect(parsed(eventSerialiser()(event))).toMatchObject({ big: '12', 'event.id': `key "1":${record.offset}` });
  });
});

describe('deadLetterJson', () => {
  const { origin } = placeOf({ 'log.file.path': '/a.log' }).raw('');

  it('says what went wrong, what it was and where', () => {
    const reason = new MillraceError('MILLRACE_E_PARSE_JSON', 'x');
    expect(parsed(deadLetterJson({ origin, record: { offset: 7, text: '{\n"' }, index: 0, reason }))).toEqual({
      'error.code': 'MILLRACE_E_PARSE_JSON',
      'error.message': 'the line is not a JSON object: x',
      'event.original': '{\n"',
      'event.id': 'i:7',
      'log.file.path': '/a.log',
      'log.offset': 7,
    });
  });

  it('bytes that are not UTF-8 are base64; another error has its name, a further event its number', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 256);
    const letter = { origin, record: { offset: 7, text: '\ufffd', bytes }, index: 2, reason: new TypeError('no') };
    const json = parsed(deadLetterJson(letter));
    expect(json).toMatchObject({ 'error.code': 'TypeError', 'error.message': 'no', 'event.id': 'i:7:2' });
    expect(json).not.toHaveProperty(['event.original']);
    expect(Buffer.from(String(json['event.original_base64']), 'base64').equals(bytes)).toBe(true);
  });
});
