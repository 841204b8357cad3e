import { afterAll, describe, expect, it } from 'vitest';
import { enumerate, IS_USUAL, SEEDS } from './fakes/enumerate.js';

describe('crash enumeration: each line once, whole, in order, whatever call the process dies at', () => {
  let cuts = 0;

  it.each(SEEDS)('history %i', (seed) => void (cuts += enumerate(seed)), 60_000);

  afterAll(() => {
    if (IS_USUAL) expect(cuts).toBeGreaterThan(4000);
  });
});

describe('crash enumeration of stages that remember: of each key exactly as many as may pass', () => {
  // Shorter: what the source goes through is seen above.
  it.each(SEEDS)('dedupe, history %i', (seed) => void enumerate(seed, { mostOfKey: 1 }, 0.2), 60_000);
  it.each(SEEDS)('throttle, history %i', (seed) => void enumerate(seed, { mostOfKey: 2 }, 0.2), 60_000);
});
