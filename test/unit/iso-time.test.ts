import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoTimes, rfc3339 } from '../../src/operators/iso-time.js';

const read = isoTimes(true);
const dates = fc.date({
  min: new Date('0100-01-01T00:00:00Z'),
  max: new Date('9999-12-30T00:00:00Z'),
  noInvalidDate: true,
});

describe('isoTimes', () => {
  it('gives every time of a Date back as it is', () => {
    fc.assert(
      fc.property(dates, (date) => {
        expect(read(date.toISOString())).toBe(date.toISOString());
      }),
    );
  });

  it('reads zones as Date does', () => {
    const two = (n: number): string => String(n).padStart(2, '0');
    const zone = fc
      .tuple(fc.constantFrom('+', '-'), fc.nat(23), fc.nat(59))
      .map(([sign, hours, minutes]) => `${sign}${two(hours)}:${two(minutes)}`);
    fc.assert(
      fc.property(dates, fc.oneof(fc.constant('Z'), zone), fc.constantFrom('T', ' '), (date, where, between) => {
        const text = `${date.toISOString().slice(0, 23)}${where}`;
        const expected = new Date(text).toISOString();
        const written = text.replace('T', between);
        expect(read(written)).toBe(expected);
        expect(read(written.replace('.', ','))).toBe(expected);
        if (where !== 'Z') expect(read(written.slice(0, -3) + written.slice(-2))).toBe(expected);
      }),
    );
  });

  it('reads every day of the calendar and no other', () => {
    const text = fc
      .tuple(fc.integer({ min: 1000, max: 9999 }), fc.nat(13), fc.nat(32), fc.nat(25), fc.nat(61), fc.nat(61))
      .map(([year, ...parts]) => {
        const [month, day, hour, minute, second] = parts.map((part) => String(part).padStart(2, '0'));
        return { date: `${year}-${month}-${day}`, time: `${hour}:${minute}:${second}` };
      });
    fc.assert(
      fc.property(text, ({ date, time }) => {
        const given = new Date(`${date}T${time}Z`);
        const isReal = !Number.isNaN(given.getTime()) && given.toISOString().startsWith(`${date}T${time}`);
        const expected = isReal ? `${date}T${time}.000Z` : undefined;
        expect(read(`${date}T${time}Z`)).toBe(expected);
        expect(read(`${date}T${time}.000Z`)).toBe(expected);
        expect(read(`${date} ${time}`)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps every digit of a fraction', () => {
    const fraction = fc.stringMatching(/^\d{1,9}$/);
    fc.assert(
      fc.property(fraction, (digits) => {
        expect(read(`2026-01-01T00:00:00.${digits}Z`)).toBe(`2026-01-01T00:00:00.${digits.padEnd(3, '0')}Z`);
      }),
    );
    expect(read('2026-01-01T00:00:00.1234567890Z')).toBeUndefined();
    expect(read('2026-01-01T00:00:00.Z')).toBeUndefined();
    expect(read('2026-01-01T01:00:00.123456+01:00')).toBe('2026-01-01T00:00:00.123456Z');
  });

  it.each([
    ['2015-07-29 17:41:44,747', '2015-07-29T17:41:44.747Z'],
    ['2026-01-01T00:00:00.5+02:00', '2025-12-31T22:00:00.500Z'],
    ['2026-01-01T00:00:00 +0200', '2025-12-31T22:00:00.000Z'],
    ['2026-01-01T00:00-02', '2026-01-01T02:00:00.000Z'],
    ['2026-01-01 00:00', '2026-01-01T00:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    '2015-02-31T00:00:00Z',
    '2015-02-31T00:00:00.000Z',
    '2023-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-10T00:00:00.000Z',
    '2026-01-00T00:00:00.000Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:60:00.000Z',
    '2016-12-31T23:59:60Z', // a leap second has no place in milliseconds since 1970
    '2016-12-31T23:59:60.000Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
    '9999-12-31T23:59:59-01:00',
    '2026-01-01',
    '2026-1-1T00:00:00Z',
    '20260101T000000Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00ZZ',
    '',
  ])('does not read %s', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('a day that does not exist is not taken for the one seen before', () => {
    expect(read('2026-04-30T00:00:00.000Z')).toBe('2026-04-30T00:00:00.000Z');
    expect(read('2026-04-30T23:59:59.999Z')).toBe('2026-04-30T23:59:59.999Z');
    expect(read('2026-04-30T24:00:00.000Z')).toBeUndefined();
    expect(read('2026-04-31T00:00:00.000Z')).toBeUndefined();
  });

  it('leaves a time without a zone to others if it is not UTC', () => {
    const local = isoTimes(false);
    expect(local('2026-01-01T00:00:00')).toBeUndefined();
    expect(local('2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:00.000Z');
    expect(local('2026-01-01T00:00:00.000Z')).toBe('2026-01-01T00:00:00.000Z');
  });
});

describe('rfc3339', () => {
  it('writes years of four digits only', () => {
    expect(rfc3339(0)).toBe('1970-01-01T00:00:00.000Z');
    for (const odd of [Number.NaN, Infinity, 1e15, -1e15]) expect(rfc3339(odd)).toBeUndefined();
  });
});
