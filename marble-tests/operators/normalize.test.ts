import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { normalize } from '../../src/operators/normalize.js';
import type { NormalizeConfig } from '../../src/operators/normalize.js';
import { placeOf } from '../../src/testing/place-of.js';
import { standingCases } from './standing-cases.js';

type Fields = Readonly<Record<string, unknown>>;

function normalized(own: Fields, config?: NormalizeConfig, origin: Fields = {}): Fields {
  const got: Fields[] = [];
  const place = placeOf(origin);
  from([place.event(own), place.event(own)])
    .pipe(normalize(config))
    .subscribe((event) => got.push(event.fields));
  // The second event finds what was remembered of the first.
  expect(got[1]).toEqual(got[0]);
  expect(place.counts).toBe('0/0/0');
  return got[0]!;
}

const time = '2026-01-01T00:00:00.000Z';

describe('normalize', () => {
  standingCases(() => normalize(), { time, level: 'INFO', message: 'm' });

  it('gives time and level their ECS names, in the original spelling, and removes them', () => {
    expect(normalized({ time: '2026-01-01 01:00:00,000+01:00', level: 'Warning', message: 'm', a: 1 })).toEqual({
      '@timestamp': time,
      'log.level': 'Warning',
      'event.severity': 13,
      message: 'm',
      a: 1,
    });
  });

  it('replaces what had these names before', () => {
    const before = { time, level: 'ERROR', '@timestamp': 'x', 'log.level': 'y', 'event.severity': 1, message: 'm' };
    const after = { '@timestamp': time, 'log.level': 'ERROR', 'event.severity': 17, message: 'm' };
    expect(normalized(before)).toEqual(after);
  });

  it('what cannot be read is kept as it was', () => {
    expect(normalized({ time: 'noon', level: 'INFO' })).toEqual({
      time: 'noon',
      'log.level': 'INFO',
      'event.severity': 9,
    });
    expect(normalized({ time, level: 'odd' })).toEqual({ '@timestamp': time, level: 'odd' });
    expect(normalized({ time: '2015-02-31T00:00:00Z', level: 30 })).toEqual({
      time: '2015-02-31T00:00:00Z',
      level: 30,
    });
    expect(normalized({ time: null, level: null, a: 1 })).toEqual({ time: null, level: null, a: 1 });
  });

  it('an event that has log.level gets its severity, also from its origin', () => {
    expect(normalized({ 'log.level': 'err' })).toEqual({ 'log.level': 'err', 'event.severity': 17 });
    expect(normalized({ 'log.level': 'odd' })).toEqual({ 'log.level': 'odd' });
    expect(normalized({ a: 1 }, {}, { 'log.level': 'err' })).toEqual({ a: 1, 'event.severity': 17 });
    expect(normalized({})).toEqual({});
  });

  it('seconds and milliseconds since 1970, as numbers and as texts', () => {
    const at = '2015-07-29T17:41:44.747Z';
    const whole = '2015-07-29T17:41:44.000Z';
    expect(normalized({ time: 1438191704747 })).toEqual({ '@timestamp': at });
    expect(normalized({ time: '1438191704747' })).toEqual({ '@timestamp': at });
    expect(normalized({ time: 1438191704.747 })).toEqual({ '@timestamp': at });
    expect(normalized({ time: '1438191704.747' })).toEqual({ '@timestamp': at });
    expect(normalized({ time: '1438191704' })).toEqual({ '@timestamp': whole });
    for (const odd of ['12', '1e9', '-1438191704', '14381917047471234', '1438191704.', Number.NaN, Infinity, 1e300]) {
      expect(normalized({ time: odd })).toEqual({ time: odd });
    }
  });

  it('a number that no calendar of four digits has is kept as it was', () => {
    expect(normalized({ time: 1438191704747000 })).toEqual({ time: 1438191704747000 });
  });

  it('readTime reads what is not ISO 8601, before seconds are tried; isUtc leaves local times to it', () => {
    const readTime = (text: string): number | undefined => (text === 'noon' ? 43_200_000 : undefined);
    expect(normalized({ time: 'noon' }, { readTime })).toEqual({ '@timestamp': '1970-01-01T12:00:00.000Z' });
    expect(normalized({ time: 'midnight' }, { readTime })).toEqual({ time: 'midnight' });
    const local = { readTime: () => 0, isUtc: false };
    expect(normalized({ time: '2026-01-01T00:00:00' }, local)).toEqual({ '@timestamp': '1970-01-01T00:00:00.000Z' });
    expect(normalized({ time }, local)).toEqual({ '@timestamp': time });
  });
});
