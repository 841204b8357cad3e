import { describe, expect, it } from 'vitest';
import { LogEvent, Shape } from '../../src/model/event.js';
import { eventSerialiser } from '../../src/model/serialise.js';
import { placeOf } from '../../src/testing/place-of.js';

describe('LogEvent', () => {
  it('has an id of incarnation, offset, and the number of a further event', () => {
    const place = placeOf();
    place.raw('a');
    const second = place.raw('b');
    expect([second.id, second.nth(3).id, second.nth(0).id]).toEqual(['i:1', 'i:1:3', 'i:1']);
    expect(second.with({ a: 1 }).nth(2).id).toBe('i:1:2');
  });

  it('has the id that its record carries', () => {
    const { origin } = placeOf().raw('a');
    const event = LogEvent.of(origin, { offset: 7, text: 'b', id: 'collector:42' });
    expect([event.id, event.nth(2).id, event.idInOrigin]).toEqual(['collector:42', 'collector:42:2', ':7']);
    const write = eventSerialiser();
    expect(write(event)).toBe('{"message":"b","event.id":"collector:42"}');
    expect(write(event.with({ message: 1 }))).toBe('{"message":1,"event.id":"collector:42"}');
    expect(write(event.with({ message: undefined }))).toBe('{"event.id":"collector:42"}');
  });

  it('has the fields that its record brings', () => {
    const { origin } = placeOf().raw('a');
    const content = { shape: new Shape(['kafka.key']), values: ['k'] };
    expect(LogEvent.of(origin, { offset: 0, text: 'b', content }).fields).toEqual({ 'kafka.key': 'k' });
  });

  it('get: its own field first, then the origin’s', () => {
    const event = placeOf({ a: 'origin', b: 'origin' }).event({ a: 'own', c: null });
    expect(['a', 'b', 'c', 'd'].map((key) => event.get(key))).toEqual(['own', 'origin', null, undefined]);
  });

  it('with sets, replaces and removes, and leaves the event itself as it was', () => {
    const event = placeOf().event({ a: 1, b: 2 });
    expect(event.with({ a: undefined, c: 3 }).fields).toEqual({ b: 2, c: 3 });
    expect(event.with({ b: null }).fields).toEqual({ a: 1, b: null });
    expect(event.with({}).fields).toEqual({ a: 1, b: 2 });
    expect(event.with({ z: undefined }).fields).toEqual({ a: 1, b: 2 });
    expect(event.fields).toEqual({ a: 1, b: 2 });
  });

  it('from another origin it is the same event', () => {
    const event = placeOf({ a: 1 }).raw('x').nth(2);
    const elsewhere = event.from({ ...event.origin, incarnation: 'j' });
    expect([elsewhere.id, elsewhere.record, elsewhere.fields]).toEqual(['j:0:2', event.record, event.fields]);
  });

  it('has no fields but its own and those of its origin', () => {
    const event = placeOf({ env: 'test' }).event({ ['__proto__']: 1, a: 2 });
    expect(event.get('constructor')).toBeUndefined();
    expect(event.get('env')).toBe('test');
    expect(Object.keys(event.fields)).toContain('a');
    expect(Object.getPrototypeOf(event.fields)).toBe(Object.prototype);
  });
});
