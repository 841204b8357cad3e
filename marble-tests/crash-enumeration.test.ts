import { describe, it } from 'vitest';
import { play } from './fakes/crash-run.js';
import { Seeded } from './fakes/seeded.js';

describe('crash enumeration: each line once, whole, in order, whatever call the process dies at', () => {
  const first = 1;
  const HISTORIES = 40;

  it.each(Array.from({ length: HISTORIES }, (_, at) => first + at))('history %i', (seed) => {
    const calls = play(seed, []);
    const step = Math.max(1, Math.floor(calls / 150));
    const random = new Seeded(seed);
    for (let cut = 1; cut <= calls; cut += step) {
      play(seed, random.chance(0.5) ? [cut] : [cut, 1 + random.below(60), 1 + random.below(120)]);
    }
  });
});
