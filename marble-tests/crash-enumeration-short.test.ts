import { describe, expect, it } from 'vitest';
import { play } from './fakes/crash-run.js';
import type { Cuts, PlayOptions } from './fakes/crash-run.js';
import { enumerate, IS_USUAL, SEEDS } from './fakes/enumerate.js';

/** Longer histories have more of everything, but most that goes wrong goes wrong between two steps or three. */
describe('crash enumeration of many short histories, of every kind in turn', () => {
  const kinds: readonly PlayOptions[] = [
    {},
    { isJoined: true },
    { isPacked: true },
    { isJoined: true, isPacked: true },
    { mostOfKey: 1 },
    { mostOfKey: 2 },
  ];
  /** So many short ones for one of the usual length. */
  const TIMES = 15;
  const SHARE = 0.2;

  it.each(SEEDS)(
    'histories %i',
    (seed) => {
      let cuts = 0;
      for (let at = 0; at < TIMES; at++) {
        const number = seed * TIMES + at;
        cuts += enumerate(number, { ...kinds[number % kinds.length], isShort: true }, SHARE);
      }
      if (IS_USUAL) expect(cuts).toBeGreaterThan(TIMES);
    },
    60_000,
  );
});

describe('plays of wider searches that found something', () => {
  const found: readonly (readonly [seed: number, cuts: Cuts, kind: PlayOptions])[] = [
    // A rotated file of five bytes was taken for a later one, which begins so, while names moved.
    [20501, [664, 28, 104], { mostOfKey: 2 }],
    // Whether names move was asked before the search, and then not again.
    [21001, [19], { isPacked: true }],
    [21100, [69], { isPacked: true }],
    // A name had moved on to another archive, which was taken for the one that had been listed.
    [21706, [905], { isPacked: true }],
    // A stop in a wait ended a lane before the source had heard of the stop: it was opened again, without end.
    [20862, [100, 59, 78], { isJoined: true }],
  ];

  it.each(found)('history %i, dead at %j, %j', (seed, cuts, kind) => void play(seed, cuts, kind), 60_000);
});
