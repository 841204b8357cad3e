import { describe, it } from 'vitest';
import { enumerate, SEEDS } from './fakes/enumerate.js';

describe('crash enumeration of transactions: each line once for readers of what is committed, and in the file beside', () => {
  // Every settled batch is a checkpoint here, so a history has many more calls than elsewhere.
  it.each(SEEDS.slice(0, 20))('history %i', (seed) => void enumerate(seed, { isTransactional: true }, 0.3), 60_000);
  it.each(SEEDS.slice(0, 5))(
    'dedupe, history %i',
    (seed) => void enumerate(seed, { isTransactional: true, mostOfKey: 1 }, 0.1),
    60_000,
  );
});
