import * as fc from 'fast-check';
import type { LaneSignal } from '../../src/operators/watermark.js';
import { WatermarkMachine } from '../../src/operators/watermark.js';
import type { Watermarked } from '../../src/operators/watermarked.js';

/** An event of a property test. */
export interface Happening {
  readonly lane: string;
  readonly key: string;
  readonly timeMs: number;
  readonly value: number;
}

/** A lane in which nothing is older than the newest by more than `disorderMs`. */
function lane(name: string, disorderMs: number): fc.Arbitrary<Happening[]> {
  const step = fc.record({
    ms: fc.nat(9),
    backMs: fc.nat(disorderMs),
    key: fc.constantFrom('a', 'b', 'c'),
    value: fc.nat(99),
  });
  return fc.array(step, { maxLength: 30 }).map((steps) => {
    let newestMs = 0;
    return steps.map(({ ms, backMs, key, value }) => {
      newestMs += ms;
      return { lane: name, key, timeMs: newestMs - backMs, value };
    });
  });
}

/** Some lanes, each in its own order. */
export function lanes(disorderMs: number): fc.Arbitrary<Happening[][]> {
  return fc.tuple(lane('a', disorderMs), lane('b', disorderMs), lane('c', disorderMs));
}

/** One way in which they could interleave, as the picks say. */
export function interleaved(all: readonly (readonly Happening[])[], picks: readonly number[]): Happening[] {
  const rest = all.map((each) => [...each]);
  const merged: Happening[] = [];
  let at = 0;
  for (
    let open = rest.filter((each) => each.length > 0);
    open.length > 0;
    open = rest.filter((each) => each.length > 0)
  ) {
    const next = open[(picks[at++ % picks.length] ?? 0) % open.length]?.shift();
    if (next !== undefined) merged.push(next);
  }
  return merged;
}

export const picks: fc.Arbitrary<number[]> = fc.array(fc.nat(99), { minLength: 1, maxLength: 40 });

/** The elements with their watermarks, all lanes waited for from the start. */
export function inTimeOf(happenings: readonly Happening[], maxDisorderMs: number): Watermarked<Happening>[] {
  const config = { timeOf: (one: Happening) => one.timeMs, laneOf: (one: Happening) => one.lane, maxDisorderMs };
  const machine = new WatermarkMachine(config, 0);
  const open = (name: string): LaneSignal => ({ lane: name, is: 'open' });
  for (const name of new Set(happenings.map((one) => one.lane))) machine.signal(open(name), 0);
  return happenings.flatMap((one) => machine.next(one, 0));
}
