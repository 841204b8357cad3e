import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/model/event.js';
import { keepUnusual } from '../../src/operators/keep-unusual.js';
import { placeOf } from '../../src/testing/place-of.js';
import { eventsWith, passing } from '../fakes/passing.js';
import { Seeded } from '../../src/testing/seeded.js';
import { standingCases } from './standing-cases.js';

function numbers(values: readonly unknown[]): LogEvent[] {
  return eventsWith(...values.map((a) => ({ a })));
}

/** Normally distributed. Source: Box and Muller, 1958. */
function normal(random: Seeded): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

const a = { field: 'a' } as const;

describe('keepUnusual', () => {
  standingCases(() => keepUnusual({ ...a, aboveQuantile: 0.5, minSamples: 0 }), { a: 5 });

  it('above a quantile of those before, and counts the others', () => {
    const place = placeOf();
    const events = [...Array.from({ length: 100 }, (_, at) => at + 1), 98, 104, 500].map((value) =>
      place.event({ a: value }),
    );
    expect(passing(keepUnusual({ ...a, aboveQuantile: 0.99 }), events)).toEqual([101, 102]);
    expect(place.counts).toBe('101/0/0');
  });

  it.each([0.5, 0.9, 0.99])('lets about the share above the quantile %f through', (aboveQuantile) => {
    const random = new Seeded(7);
    const values = Array.from({ length: 20_000 }, () => Math.exp(normal(random)));
    const share = passing(keepUnusual({ ...a, aboveQuantile, minSamples: 1000 }), numbers(values)).length / 19_000;
    expect(share).toBeGreaterThan((1 - aboveQuantile) * 0.75);
    expect(share).toBeLessThan((1 - aboveQuantile) * 1.2);
  });

  it('far from the mean of those before, on either side: about as often as the normal distribution says', () => {
    const random = new Seeded(3);
    const values = Array.from({ length: 10_000 }, () => 1e9 + normal(random));
    const share = passing(keepUnusual({ ...a, anomalyAbove: 2 }), numbers(values)).length / 9900;
    expect(share).toBeGreaterThan(0.035);
    expect(share).toBeLessThan(0.056);
    const far = numbers([...values.slice(0, 200), 1e9 - 10, 1e9 + 10, 1e9]);
    expect(passing(keepUnusual({ ...a, anomalyAbove: 8 }), far)).toEqual([200, 201]);
  });

  it('numbers that are all the same are not above themselves', () => {
    for (const value of [1, 7, 1.02, 1e-12, 0, -3, -1e9, 5e20]) {
      expect(passing(keepUnusual({ ...a, aboveQuantile: 0.5 }), numbers(new Array(200).fill(value)))).toEqual([]);
    }
  });

  it('a number is no part of what it is compared with, and a short history says nothing', () => {
    const values = [1, 2, 1, 2, 100];
    expect(passing(keepUnusual({ ...a, anomalyAbove: 3, minSamples: 4 }), numbers(values))).toEqual([4]);
    expect(passing(keepUnusual({ ...a, anomalyAbove: 3, minSamples: 5 }), numbers(values))).toEqual([]);
    expect(passing(keepUnusual({ ...a, anomalyAbove: 3, minSamples: 4 }), numbers([5, 5, 5, 5, 5, 6]))).toEqual([5]);
  });

  it('follows what changes: a new level is usual after a while', () => {
    const random = new Seeded(5);
    const values = Array.from({ length: 4000 }, (_, at) => (at < 2000 ? 10 : 100) + random.next());
    for (const config of [{ aboveQuantile: 0.99 }, { anomalyAbove: 4 }]) {
      const got = passing(keepUnusual({ ...a, ...config, windowSamples: 200 }), numbers(values));
      expect(got).toContain(2000);
      expect(got.filter((at) => at > 3500).length).toBeLessThan(15);
    }
  });

  it('numbers in texts count; what is no number, or what the rest does not hold for, is dropped and not learnt from', () => {
    const odd = ['1', 2, '1.5', 'x', null, Infinity, Number.NaN, undefined, '-1', '50'];
    expect(passing(keepUnusual({ ...a, aboveQuantile: 1, minSamples: 4 }), numbers(odd))).toEqual([9]);
    const events = eventsWith(...[1, 1, 1, 900, 5].map((value) => ({ a: value, b: value === 900 ? 'no' : 'yes' })));
    const config = { ...a, aboveQuantile: 1, minSamples: 3, not: { field: 'b', equals: 'no' } };
    expect(passing(keepUnusual(config), events)).toEqual([4]);
  });

  it('each key has its history; the one that got nothing for longest is forgotten', () => {
    const rows = Array.from('xxyyxyzzx').map((k, at) => ({ k, a: k === 'x' ? at : 1 }));
    const config = { ...a, aboveQuantile: 1, minSamples: 2, by: ['k'] };
    expect(passing(keepUnusual(config), eventsWith(...rows))).toEqual([4, 8]);
    expect(passing(keepUnusual({ ...config, maxKeys: 2 }), eventsWith(...rows))).toEqual([4]);
  });

  it('goes on with what was captured as if nothing had happened', () => {
    const value = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -50, max: 50 }), fc.constant(0));
    const asked = fc.constantFrom(
      { aboveQuantile: 0.7 },
      { anomalyAbove: 1 },
      { aboveQuantile: 0.5, anomalyAbove: 0.5 },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), value), { maxLength: 80 }), fc.nat(40), asked, (list, cut, what) => {
        const events = eventsWith(...list.map(([k, each]) => ({ k, a: each })));
        const config = { ...a, ...what, by: ['k'], maxKeys: 3, minSamples: 2, windowSamples: 10 };
        const { begin } = keepUnusual(config).remembering;
        const whole = begin(undefined);
        const first = begin(undefined);
        const expected = events.map((event) => whole.admits(event));
        const before = events.slice(0, cut).map((event) => first.admits(event));
        const second = begin(JSON.parse(JSON.stringify(first.capture())) as never);
        expect([...before, ...events.slice(cut).map((event) => second.admits(event))]).toEqual(expected);
      }),
    );
  });

  it('the state is bounded, whatever the numbers', () => {
    const random = new Seeded(1);
    const judge = keepUnusual({ ...a, aboveQuantile: 0.99, windowSamples: 500 }).remembering.begin(undefined);
    for (const event of numbers(Array.from({ length: 5000 }, () => (random.next() - 0.5) * 10 ** random.below(300)))) {
      judge.admits(event);
    }
    expect(JSON.stringify(judge.capture()).length).toBeLessThan(20_000);
  });
});
