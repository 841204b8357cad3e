import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AVRO_EVENT, avroOfEvent, contentOfAvro } from '../../src/model/avro-event.js';
import { LogEvent, Shape } from '../../src/model/event.js';
import type { Origin } from '../../src/model/event.js';

const type = avsc.Type.forSchema(AVRO_EVENT as avsc.Schema);
const origin: Origin = {
  incarnation: 'i',
  fields: { 'log.file.path': '/a', team: 'b' },
  outcome: { filtered: () => {}, rejected: () => {}, expanded: () => {} },
};

function roundTrip(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const event = new LogEvent(origin, { offset: 3, text: '' }, 0, new Shape(Object.keys(fields)), Object.values(fields));
  const { shape, values } = contentOfAvro(type.fromBuffer(type.toBuffer(avroOfEvent(event))))!;
  return Object.fromEntries(shape.keys.map((key, slot) => [key, values[slot]]));
}

const names = ['@timestamp', 'message', 'log.level', 'event.severity', 'service.name', 'fields', 'json', 'log_level'];
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
  fc.integer(),
  fc.constantFrom(null, true, false, 2 ** 31, -(2 ** 31)),
  fc.jsonValue({ depthSize: 'small' }),
);

describe('an event as Avro', () => {
  it('has the same fields afterwards, whatever they are called and hold', () => {
    const name = fc.oneof(fc.constantFrom(...names), fc.string({ minLength: 1, maxLength: 20 }));
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (fields) => {
        const { 'event.id': _, ['__proto__']: __, ...own } = fields;
        // What JSON cannot tell apart, Avro need not.
        const expected = JSON.parse(JSON.stringify({ ...origin.fields, ...own })) as object;
        expect(JSON.parse(JSON.stringify(roundTrip(own)))).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('says its id, and leaves out what only the record knows', () => {
    const event = new LogEvent(origin, { offset: 3, text: '' }, 0, new Shape(['event.id', 'gone']), [
      'mine',
      undefined,
    ]);
    expect(avroOfEvent(event)).toEqual({ event_id: 'i:3', log_file_path: '/a', fields: { team: 'b' }, json: {} });
  });

  it('is told from records of others', () => {
    expect(contentOfAvro({ fields: {}, json: {} })).toBeUndefined();
    expect(contentOfAvro({ event_id: 'x', fields: 'a' })).toBeUndefined();
    expect(contentOfAvro(null)).toBeUndefined();
  });
});
