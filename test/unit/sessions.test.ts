import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionsMachine } from '../../src/operators/sessions.js';
import type { SessionResult, SessionsConfig, SessionsState } from '../../src/operators/sessions.js';
import type { Aside, Watermarked } from '../../src/operators/watermarked.js';
import { inTime } from '../../marble-tests/fakes/in-time.js';
import { inTimeOf, interleaved, lanes, picks } from '../../marble-tests/fakes/lanes.js';
import type { Happening } from '../../marble-tests/fakes/lanes.js';

type Result = SessionResult<string, number>;
type State = SessionsState<number, string>;
type Config = SessionsConfig<Happening, number, number, string>;

const DISORDER_MS = 12;
const reducer: Config['reducer'] = {
  create: () => 0,
  add: (sum, { value }) => sum + value,
  merge: (one, other) => one + other,
  result: (sum) => sum,
};
const gaps = fc.integer({ min: 1, max: 25 });

function machineOf(config: Partial<Config>, saved?: State): SessionsMachine<Happening, number, number, string> {
  return new SessionsMachine({ gapMs: 5, reducer, keyOf: ({ key }) => key, ...config }, saved);
}

function run(
  items: readonly Watermarked<Happening>[],
  config: Partial<Config>,
  saved?: State,
): {
  readonly results: Result[];
  readonly asides: Aside<Happening>[];
} {
  const asides: Aside<Happening>[] = [];
  const machine = machineOf({ ...config, onAside: (aside) => asides.push(aside) }, saved);
  const results = items.flatMap((item) => machine.next(item));
  return { results: [...results, ...machine.complete()], asides };
}

/** The sessions of each key from all its elements in order of time. */
function naive(all: readonly Happening[], gapMs: number): string[] {
  const sessions: string[] = [];
  for (const key of new Set(all.map((one) => one.key))) {
    const [first, ...rest] = all.filter((one) => one.key === key).sort((one, other) => one.timeMs - other.timeMs);
    if (first === undefined) continue;
    let [startMs, lastMs, sum] = [first.timeMs, first.timeMs, first.value];
    for (const { timeMs, value } of rest) {
      if (timeMs - lastMs >= gapMs) {
        sessions.push(`${key} ${startMs}-${lastMs + gapMs} ${sum}`);
        [startMs, sum] = [timeMs, 0];
      }
      [lastMs, sum] = [timeMs, sum + value];
    }
    sessions.push(`${key} ${startMs}-${lastMs + gapMs} ${sum}`);
  }
  return sessions.sort();
}

const shown = (results: Iterable<Result>): string[] =>
  [...results].map(({ key, startMs, endMs, value }) => `${key} ${startMs}-${endMs} ${value}`).sort();

describe('sessions', () => {
  it('are what a naive recomputation gives, for any disorder within the bound', () => {
    fc.assert(
      fc.property(lanes(DISORDER_MS), picks, gaps, (all, order, gapMs) => {
        const happenings = interleaved(all, order);
        const { results, asides } = run(inTimeOf(happenings, DISORDER_MS), { gapMs });
        expect(asides).toEqual([]);
        expect(shown(results)).toEqual(naive(happenings, gapMs));
        const ends = results.map(({ endMs }) => endMs);
        expect(ends).toEqual([...ends].sort((one, other) => one - other));
      }),
    );
  });

  it('are the same however the lanes interleave, down to their order, late elements included', () => {
    fc.assert(
      fc.property(lanes(40), picks, picks, gaps, (all, one, other, gapMs) => {
        const [first, second] = [one, other].map((order) => run(inTimeOf(interleaved(all, order), 5), { gapMs }));
        expect(second?.results).toEqual(first?.results);
        expect(second?.asides.length).toBe(first?.asides.length);
      }),
    );
  });

  it('go on from a snapshot at any point as if they had never stopped', () => {
    fc.assert(
      fc.property(lanes(40), picks, gaps, fc.nat(90), fc.nat(30), (all, order, gapMs, cut, allowedLatenessMs) => {
        const items = inTimeOf(interleaved(all, order), 5);
        const config = { gapMs, allowedLatenessMs };
        const machine = machineOf(config);
        const before = items.slice(0, cut).flatMap((item) => machine.next(item));
        const saved = JSON.parse(JSON.stringify(machine.capture())) as State;
        expect([...before, ...run(items.slice(cut), config, saved).results]).toEqual(run(items, config).results);
      }),
    );
  });

  it('with lateness: what is left after all that was replaced is the naive result of what was not put aside', () => {
    fc.assert(
      fc.property(lanes(40), picks, gaps, fc.nat(40), (all, order, gapMs, allowedLatenessMs) => {
        const happenings = interleaved(all, order);
        const { results, asides } = run(inTimeOf(happenings, 5), { gapMs, allowedLatenessMs });
        const refused = new Set(asides.map(({ value }) => value));
        const left = new Map<string, Result>();
        for (const result of results) {
          for (const startMs of result.replaces) expect(left.delete(`${result.key} ${startMs}`)).toBe(true);
          left.set(`${result.key} ${result.startMs}`, result);
        }
        expect(shown(left.values())).toEqual(
          naive(
            happenings.filter((one) => !refused.has(one)),
            gapMs,
          ),
        );
      }),
    );
  });

  it('nothing is kept of what can no longer change', () => {
    fc.assert(
      fc.property(lanes(40), picks, gaps, fc.nat(30), (all, order, gapMs, allowedLatenessMs) => {
        const machine = machineOf({ gapMs, allowedLatenessMs });
        for (const item of inTimeOf(interleaved(all, order), 5)) {
          machine.next(item);
          const { sessions } = machine.capture();
          const open = sessions.flatMap(([, each]) => each).map(({ lastMs }) => lastMs + gapMs + allowedLatenessMs);
          expect(Math.min(...open)).toBeGreaterThan(item.watermarkMs);
        }
        machine.complete();
        expect(machine.capture()).toEqual({ version: 1, gapMs, watermarkMs: null, sessions: [] });
      }),
    );
  });

  it('an update comes out at once, before the sessions that the same element ends', () => {
    const machine = machineOf({ gapMs: 3, allowedLatenessMs: 100 });
    const at = (timeMs: number, watermarkMs: number): Watermarked<Happening> =>
      inTime({ lane: '', key: 'k', timeMs, value: timeMs }, timeMs, { laneWatermarkMs: watermarkMs, watermarkMs });
    expect(machine.next(at(20, 8))).toEqual([]);
    // Its end is where the watermark is.
    expect(machine.next(at(5, 8))).toMatchObject([{ startMs: 5, endMs: 8, revision: 0 }]);
    expect(machine.next(at(4, 23))).toMatchObject([
      { startMs: 4, endMs: 8, value: 9, revision: 1, replaces: [5] },
      { startMs: 20, endMs: 23, revision: 0 },
    ]);
  });

  it('a watermark that goes back lets nothing in again; what is refused is said with its numbers', () => {
    const reasons: string[] = [];
    const machine = machineOf({ onAside: ({ reason }) => reasons.push(reason) });
    machine.next({ kind: 'watermark', watermarkMs: 10 });
    machine.next({ kind: 'watermark', watermarkMs: 5 });
    machine.next(inTime({ lane: '', key: 'k', timeMs: 9, value: 1 }, 9, { laneWatermarkMs: 0, watermarkMs: 0 }));
    expect(reasons).toEqual(['closed']);
    expect(() => machineOf({ gapMs: -1 })).toThrow('a gap of -1 ms');
    expect(() => machineOf({ gapMs: 6 }, machine.capture())).toThrow('a gap of 5 ms is not one of 6');
  });

  it('an element of an open session finds room when there is none for another', () => {
    const machine = machineOf({ maxSessions: 1 });
    const early = { laneWatermarkMs: 0, watermarkMs: 0 };
    for (const timeMs of [1, 3]) machine.next(inTime({ lane: '', key: 'k', timeMs, value: 1 }, timeMs, early));
    expect(machine.complete()).toMatchObject([{ startMs: 1, endMs: 8, value: 2 }]);
  });
});
