import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dedupe } from '../../src/operators/dedupe.js';
import { placeOf } from '../../src/testing/place-of.js';
import { at, eventsWith, passing } from '../fakes/passing.js';
import { standingCases } from './standing-cases.js';

describe('dedupe', () => {
  standingCases(() => dedupe({ by: ['message'] }), 'text');

  it('lets the first of a key through and counts the others', () => {
    const place = placeOf();
    const events = ['a', 'b', 'a', 'c', 'b', 'a'].map((message) => place.raw(message));
    expect(passing(dedupe({ by: ['message'] }), events)).toEqual([0, 1, 3]);
    expect(place.counts).toBe('3/0/0');
  });

  it('all fields together are the key, of which some may be missing; an event that has none of them goes on', () => {
    const events = eventsWith(
      { a: 1, b: 2 },
      { a: 1 },
      { a: 1, b: 2 },
      { a: 1 },
      { b: 2 },
      { c: 1 },
      { c: 1 },
      { a: '1' },
    );
    expect(passing(dedupe({ by: ['a', 'b'] }), events)).toEqual([0, 1, 4, 5, 6, 7]);
  });

  it('long values are told apart, and remembered in short', () => {
    const long = 'x'.repeat(5000);
    const events = eventsWith({ a: `${long}1` }, { a: `${long}2` }, { a: `${long}1` }, { a: long });
    expect(passing(dedupe({ by: ['a'] }), events)).toEqual([0, 1, 3]);
    const judge = dedupe({ by: ['a'] }).remembering.begin(undefined);
    for (const event of events) judge.admits(event);
    expect(JSON.stringify(judge.capture()).length).toBeLessThan(300);
  });

  it('within a time of the first that went on, by event time; without a time an event goes on', () => {
    const times = [0, 5, 10, 12, 19, 20, 9, 100].map((seconds) => ({ a: 1, '@timestamp': at(seconds) }));
    expect(passing(dedupe({ by: ['a'], withinMs: 10_000 }), eventsWith(...times))).toEqual([0, 2, 5, 6, 7]);
    const odd = [
      { a: 1, '@timestamp': at(0) },
      { a: 1 },
      { a: 1, '@timestamp': 'noon' },
      { a: 1, '@timestamp': at(1) },
    ];
    expect(passing(dedupe({ by: ['a'], withinMs: 10_000 }), eventsWith(...odd))).toEqual([0, 1, 2]);
  });

  it('forgets the key that was not seen for longest', () => {
    const events = ['a', 'b', 'a', 'c', 'a', 'b'].map((a) => ({ a }));
    expect(passing(dedupe({ by: ['a'], maxKeys: 2 }), eventsWith(...events))).toEqual([0, 1, 3, 5]);
  });

  it('many more keys than it remembers take no longer for that', () => {
    const events = eventsWith(...Array.from({ length: 60_000 }, (_, a) => ({ a })));
    const judge = dedupe({ by: ['a'], maxKeys: 20_000 }).remembering.begin(undefined);
    const startedAt = performance.now();
    for (const event of events) judge.admits(event);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    const remembered = (judge.capture() as unknown[]).length;
    expect(remembered).toBeGreaterThan(19_000);
    expect(remembered).toBeLessThanOrEqual(20_000);
  });

  it('goes on with what was captured as if nothing had happened', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(6), fc.nat(40))),
        fc.nat(20),
        fc.constantFrom(undefined, 5000),
        (list, cut, withinMs) => {
          const config = { by: ['a'], maxKeys: 3, ...(withinMs === undefined ? {} : { withinMs }) };
          const events = eventsWith(...list.map(([a, seconds]) => ({ a, '@timestamp': at(seconds) })));
          const { begin } = dedupe(config).remembering;
          const whole = begin(undefined);
          const first = begin(undefined);
          const expected = events.map((event) => whole.admits(event));
          const before = events.slice(0, cut).map((event) => first.admits(event));
          const second = begin(JSON.parse(JSON.stringify(first.capture())) as never);
          expect([...before, ...events.slice(cut).map((event) => second.admits(event))]).toEqual(expected);
        },
      ),
    );
  });
});
