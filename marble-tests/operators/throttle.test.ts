import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { throttle } from '../../src/operators/throttle.js';
import { placeOf } from '../../src/testing/place-of.js';
import { at, eventsWith, passing } from '../fakes/passing.js';
import { standingCases } from './standing-cases.js';

describe('throttle', () => {
  standingCases(() => throttle({ max: 3, perMs: 1000 }), { '@timestamp': at(0) });

  it('lets so many of a window through, which begins with its first event, and counts the others', () => {
    const place = placeOf();
    const events = [1, 5, 9, 10, 11, 12, 13, 30].map((seconds) => place.event({ '@timestamp': at(seconds) }));
    expect(passing(throttle({ max: 2, perMs: 10_000 }), events)).toEqual([0, 1, 4, 5, 7]);
    expect(place.counts).toBe('3/0/0');
  });

  it('each key for itself; events without any of the fields are one key', () => {
    const events = eventsWith(...['a', 'b', 'a', undefined, 'b', undefined].map((a) => ({ a, '@timestamp': at(0) })));
    expect(passing(throttle({ by: ['a'], max: 1, perMs: 1000 }), events)).toEqual([0, 1, 3]);
  });

  it('an event without a time goes on and is not counted; a late one is counted now', () => {
    const odd = [
      { '@timestamp': at(50) },
      {},
      { '@timestamp': 'noon' },
      { '@timestamp': at(1) },
      { '@timestamp': at(51) },
    ];
    expect(passing(throttle({ max: 2, perMs: 10_000 }), eventsWith(...odd))).toEqual([0, 1, 2, 3]);
  });

  it('forgets the key that was not seen for longest', () => {
    const events = eventsWith(...['a', 'b', 'a', 'c', 'a', 'b'].map((a) => ({ a, '@timestamp': at(0) })));
    expect(passing(throttle({ by: ['a'], max: 1, perMs: 1000, maxKeys: 2 }), events)).toEqual([0, 1, 3, 5]);
  });

  it('goes on with what was captured as if nothing had happened', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(6), fc.nat(40))), fc.nat(20), (list, cut) => {
        const events = eventsWith(...list.map(([a, seconds]) => ({ a, '@timestamp': at(seconds) })));
        const { begin } = throttle({ by: ['a'], max: 2, perMs: 5000, maxKeys: 3 }).remembering;
        const whole = begin(undefined);
        const first = begin(undefined);
        const expected = events.map((event) => whole.admits(event));
        const before = events.slice(0, cut).map((event) => first.admits(event));
        const second = begin(JSON.parse(JSON.stringify(first.capture())) as never);
        expect([...before, ...events.slice(cut).map((event) => second.admits(event))]).toEqual(expected);
      }),
    );
  });
});
