import { afterAll, describe, expect, it } from 'vitest';
import { playGroup } from './fakes/group-run.js';
import { Seeded } from '../src/testing/seeded.js';

/** A longer search: CRASH_SEEDS=1000-1199. */
const [FIRST, LAST] = (process.env['CRASH_SEEDS'] ?? '1-20').split('-').map(Number) as [number, number];
const RUNS = 40;

describe('two processors of a group, in transactions: each message once, in order, whatever call one of them dies at', () => {
  let cuts = 0;

  it.each(Array.from({ length: LAST - FIRST + 1 }, (_, at) => FIRST + at))(
    'group %i',
    (seed) => {
      const calls = playGroup(seed, []);
      const random = new Seeded(seed);
      for (let cut = 1; cut <= calls; cut += Math.max(1, calls / RUNS)) {
        const further = random.chance(0.5) ? [] : [1 + random.below(60), 1 + random.below(120)];
        playGroup(seed, [Math.floor(cut), ...further]);
        cuts += 1 + further.length;
      }
    },
    60_000,
  );

  afterAll(() => {
    if (process.env['CRASH_SEEDS'] === undefined) expect(cuts).toBeGreaterThan(1000);
  });
});
