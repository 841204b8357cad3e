import * as fc from 'fast-check';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/model/event.js';
import { hash53 } from '../../src/operators/hash.js';
import { sample } from '../../src/operators/sample.js';
import type { SampleConfig } from '../../src/operators/sample.js';
import { placeOf } from '../../src/testing/place-of.js';
import { standingCases } from './standing-cases.js';

function kept(config: SampleConfig, events: readonly LogEvent[]): string[] {
  const got: string[] = [];
  from(events)
    .pipe(sample(config))
    .subscribe(({ id }) => got.push(id));
  return got;
}

describe('sample', () => {
  standingCases(() => sample({ share: 1 }), 'text');

  it('lets its share through, and counts the others', () => {
    const place = placeOf();
    const events = Array.from({ length: 20_000 }, () => place.raw('x'));
    for (const share of [0, 0.01, 0.1, 0.5, 1]) {
      const before = place.tally.filteredCount;
      const count = kept({ share }, events).length;
      expect(count).toBeGreaterThanOrEqual(Math.floor(20_000 * share * 0.85));
      expect(count).toBeLessThanOrEqual(Math.ceil(20_000 * share * 1.15));
      expect(place.tally.filteredCount - before).toBe(20_000 - count);
    }
  });

  it('the same events in every run, and a larger share has all of a smaller one', () => {
    const place = placeOf();
    const events = Array.from({ length: 1000 }, () => place.raw('x'));
    const few = kept({ share: 0.1 }, events);
    expect(kept({ share: 0.1 }, [...events].reverse()).reverse()).toEqual(few);
    expect(kept({ share: 0.3 }, events)).toEqual(expect.arrayContaining(few));
  });

  it('by a field: a trace goes on whole or not at all; without the field the id decides', () => {
    const place = placeOf();
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.double({ min: 0, max: 1, noNaN: true }), (traces, share) => {
        const events = traces.map((trace) => place.event({ trace }));
        const passed = new Set(kept({ share, by: 'trace' }, events));
        for (const trace of new Set(traces)) {
          const answers = events.filter((event) => event.get('trace') === trace).map(({ id }) => passed.has(id));
          expect(new Set(answers).size).toBe(1);
        }
      }),
    );
    const events = Array.from({ length: 300 }, () => place.event({ other: 1 }));
    expect(kept({ share: 0.5, by: 'trace' }, events)).toEqual(kept({ share: 0.5 }, events));
  });

  it('hashes as its source does', () => {
    expect(['a', 'b', 'revenge', 'revenue'].map((text) => hash53(text))).toEqual([
      7929297801672961, 8684336938537663, 4051478007546757, 8309097637345594,
    ]);
    expect([1, 2, 3].map((seed) => hash53('revenue', seed))).toEqual([
      8697026808958300, 2021074995066978, 4747903550515895,
    ]);
  });
});
