import { afterAll, describe, expect, it } from 'vitest';
import { play } from './fakes/crash-run.js';
import { Seeded } from './fakes/seeded.js';

/** A longer search: CRASH_SEEDS=1000-1199. */
const [FIRST, LAST] = (process.env['CRASH_SEEDS'] ?? '1-30').split('-').map(Number) as [number, number];
const RUNS_A_HISTORY = 100;

const SEEDS = Array.from({ length: LAST - FIRST + 1 }, (_, at) => FIRST + at);

/** Plays a history with a crash at each call; how many crashes that were. */
function enumerate(seed: number, maxRuns: number, mostOfKey?: 1 | 2): number {
  let cuts = 0;
  const calls = play(seed, [], mostOfKey);
  const random = new Seeded(seed);
  // Every call of a short history, and a spread of those of a long one.
  for (let cut = 1; cut <= calls; cut += Math.max(1, calls / maxRuns)) {
    const first = Math.floor(cut);
    // The next lives may die too: while they recover, or later.
    const further = random.chance(0.5) ? [] : [1 + random.below(60), 1 + random.below(120)];
    play(seed, [first, ...further], mostOfKey);
    cuts += 1 + further.length;
  }
  return cuts;
}

describe('crash enumeration: each line once, whole, in order, whatever call the process dies at', () => {
  let cuts = 0;

  it.each(SEEDS)(
    'history %i',
    (seed) => {
      cuts += enumerate(seed, RUNS_A_HISTORY);
    },
    60_000,
  );

  afterAll(() => {
    if (process.env['CRASH_SEEDS'] === undefined) expect(cuts).toBeGreaterThan(5000);
  });
});

describe('crash enumeration of stages that remember: of each key exactly as many as may pass', () => {
  // Shorter: what the source goes through is seen above.
  it.each(SEEDS)('dedupe, history %i', (seed) => void enumerate(seed, RUNS_A_HISTORY / 10, 1), 60_000);
  it.each(SEEDS)('throttle, history %i', (seed) => void enumerate(seed, RUNS_A_HISTORY / 10, 2), 60_000);
});
