import { play } from './crash-run.js';
import type { PlayOptions } from './crash-run.js';
import { Seeded } from '../../src/testing/seeded.js';

/** A wider search: CRASH_SEEDS=1000-1199, with CRASH_CUTS=20 crashes each. */
const { CRASH_SEEDS, CRASH_CUTS } = process.env;
const [FIRST, LAST] = (CRASH_SEEDS ?? '1-200').split('-').map(Number) as [number, number];
/** Of so many histories nearly every call is tried, of the others some. */
const THOROUGH = 10;
const MANY_CUTS = 100;
const SOME_CUTS = Number(CRASH_CUTS ?? 9);

export const SEEDS: readonly number[] = Array.from({ length: LAST - FIRST + 1 }, (_, at) => FIRST + at);

/** Whether it is what CI plays. */
export const IS_USUAL: boolean = CRASH_SEEDS === undefined && CRASH_CUTS === undefined;

/** Plays a history uncut, then with a crash at calls spread over it: at each one if it is short. How many crashes that were. */
export function enumerate(seed: number, kind: PlayOptions = {}, share = 1): number {
  const maxRuns = Math.ceil((seed <= THOROUGH ? MANY_CUTS : SOME_CUTS) * share);
  let cuts = 0;
  const calls = play(seed, [], kind);
  const random = new Seeded(seed);
  const step = Math.max(1, calls / maxRuns);
  for (let cut = 1 + random.next() * (step - 1); cut <= calls; cut += step) {
    // The next lives may die too: while they recover, or later.
    const further = random.chance(0.5) ? [] : [1 + random.below(60), 1 + random.below(120)];
    play(seed, [Math.floor(cut), ...further], kind);
    cuts += 1 + further.length;
  }
  return cuts;
}
