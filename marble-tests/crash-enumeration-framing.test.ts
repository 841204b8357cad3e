import { describe, it } from 'vitest';
import type { PlayOptions } from './fakes/crash-run.js';
import { enumerate, SEEDS } from './fakes/enumerate.js';

describe('crash enumeration of events of several lines and of archives', () => {
  const kinds: readonly PlayOptions[] = [{ isJoined: true }, { isPacked: true }, { isJoined: true, isPacked: true }];

  const histories = SEEDS.map((seed): [number, PlayOptions] => [seed, kinds[seed % kinds.length]!]);

  it.each(histories)('history %i %j', (seed, kind) => void enumerate(seed, kind), 60_000);
});
