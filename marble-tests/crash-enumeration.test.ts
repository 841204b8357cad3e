import { afterAll, describe, expect, it } from 'vitest';
import { play } from './fakes/crash-run.js';
import { Seeded } from './fakes/seeded.js';

const HISTORIES = 40;
const CUTS_A_HISTORY = 130;

describe('crash enumeration: each line once, whole, in order, whatever call the process dies at', () => {
  let cuts = 0;

  it.each(Array.from({ length: HISTORIES }, (_, at) => at + 1))(
    'history %i',
    (seed) => {
      const calls = play(seed, []);
      const random = new Seeded(seed);
      // Every call of a short history, and a spread of those of a long one.
      for (let cut = 1; cut <= calls; cut += Math.max(1, calls / CUTS_A_HISTORY)) {
        const first = Math.floor(cut);
        // The next lives may die too: while they recover, or later.
        const further = random.chance(0.5) ? [] : [1 + random.below(60), 1 + random.below(120)];
        play(seed, [first, ...further]);
        cuts += 1 + further.length;
      }
    },
    60_000,
  );

  afterAll(() => {
    expect(cuts).toBeGreaterThan(5000);
  });
});
