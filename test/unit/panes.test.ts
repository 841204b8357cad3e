import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PanesMachine } from '../../src/operators/panes.js';
import type { PanesConfig, PanesState, WindowResult } from '../../src/operators/panes.js';
import { statsOf } from '../../src/operators/reducers.js';
import type { Moments, Stats } from '../../src/operators/reducers.js';
import type { Aside, Watermarked } from '../../src/operators/watermarked.js';
import { inTime } from '../../marble-tests/fakes/in-time.js';
import { inTimeOf, interleaved, lanes, picks } from '../../marble-tests/fakes/lanes.js';
import type { Happening } from '../../marble-tests/fakes/lanes.js';

type Sum = readonly [count: number, sum: number];
type Result = WindowResult<string, Sum>;
type Config = PanesConfig<Happening, Sum, Sum, string>;

const DISORDER_MS = 12;
const sums: Config['reducer'] = {
  create: () => [0, 0],
  add: ([count, sum], { value }) => [count + 1, sum + value],
  merge: (one, other) => [one[0] + other[0], one[1] + other[1]],
  result: (sum) => sum,
};
const spans = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.nat(29), fc.integer({ min: -20, max: 20 }))
  .map(([sizeMs, less, offsetMs]) => ({ sizeMs, slideMs: Math.max(1, sizeMs - less), offsetMs }));

interface Run {
  readonly results: Result[];
  readonly asides: Aside<Happening>[];
}

function run(items: readonly Watermarked<Happening>[], config: Partial<Config>, saved?: PanesState<Sum, string>): Run {
  const asides: Aside<Happening>[] = [];
  const machine = machineOf({ ...config, onAside: (aside) => asides.push(aside) }, saved);
  const results = items.flatMap((item) => machine.next(item));
  return { results: [...results, ...machine.complete()], asides };
}

function machineOf(
  config: Partial<Config>,
  saved?: PanesState<Sum, string>,
): PanesMachine<Happening, Sum, Sum, string> {
  return new PanesMachine({ sizeMs: 10, slideMs: 10, reducer: sums, keyOf: ({ key }) => key, ...config }, saved);
}

/** Every window of every key from all elements, without panes, lanes or time: what must come out. */
function naive(all: readonly Happening[], config: { sizeMs: number; slideMs: number; offsetMs: number }): string[] {
  const { sizeMs, slideMs, offsetMs } = config;
  const windows = new Map<string, Sum>();
  for (const { timeMs, key, value } of all) {
    const last = Math.floor((timeMs - offsetMs) / slideMs) * slideMs + offsetMs;
    for (let startMs = last; startMs > timeMs - sizeMs; startMs -= slideMs) {
      const [count, sum] = windows.get(`${startMs} ${key}`) ?? [0, 0];
      windows.set(`${startMs} ${key}`, [count + 1, sum + value]);
    }
  }
  return [...windows].map(([name, sum]) => `${name} ${sum.join()}`).sort();
}

const shown = (results: readonly Result[]): string[] =>
  results.map(({ startMs, key, value }) => `${startMs} ${key} ${value.join()}`).sort();

describe('windows from panes', () => {
  it('are what a naive recomputation gives, for any disorder within the bound', () => {
    fc.assert(
      fc.property(lanes(DISORDER_MS), picks, spans, (all, order, config) => {
        const happenings = interleaved(all, order);
        const { results, asides } = run(inTimeOf(happenings, DISORDER_MS), config);
        expect(asides).toEqual([]);
        expect(shown(results)).toEqual(naive(happenings, config));
        expect(results.every(({ revision }) => revision === 0)).toBe(true);
        const ends = results.map(({ endMs }) => endMs);
        expect(ends).toEqual([...ends].sort((one, other) => one - other));
      }),
    );
  });

  it('are the same however the lanes interleave, down to their order, late elements included', () => {
    fc.assert(
      fc.property(lanes(40), picks, picks, spans, (all, one, other, config) => {
        // The bound is smaller than the disorder: some elements are late.
        const [first, second] = [one, other].map((order) => run(inTimeOf(interleaved(all, order), 5), config));
        expect(second?.results).toEqual(first?.results);
        const names = (asides: readonly Aside<Happening>[] = []): string[] =>
          asides.map(({ reason, lane, timeMs, value }) => `${reason} ${lane} ${timeMs} ${value.value}`).sort();
        expect(names(second?.asides)).toEqual(names(first?.asides));
      }),
    );
  });

  it('are the same when lanes are split or merged', () => {
    fc.assert(
      fc.property(lanes(DISORDER_MS), picks, spans, (all, order, config) => {
        const happenings = interleaved(all, order);
        const merged = happenings.map((one) => ({ ...one, lane: 'all' }));
        const split = happenings.map((one, at) => ({ ...one, lane: `${one.lane}${at % 2}` }));
        const expected = naive(happenings, config);
        // One lane of all has as much disorder as the lanes are apart.
        for (const [each, disorderMs] of [
          [merged, 1e6],
          [split, DISORDER_MS],
        ] as const) {
          expect(shown(run(inTimeOf(each, disorderMs), config).results)).toEqual(expected);
        }
      }),
    );
  });

  it('go on from a snapshot at any point as if they had never stopped', () => {
    fc.assert(
      fc.property(lanes(40), picks, spans, fc.nat(90), fc.nat(20), (all, order, span, cut, allowedLatenessMs) => {
        const items = inTimeOf(interleaved(all, order), 5);
        const config = { ...span, allowedLatenessMs };
        const machine = machineOf(config);
        const before = items.slice(0, cut).flatMap((item) => machine.next(item));
        const saved = JSON.parse(JSON.stringify(machine.capture())) as PanesState<Sum, string>;
        const after = run(items.slice(cut), config, saved).results;
        expect([...before, ...after]).toEqual(run(items, config).results);
      }),
    );
  });

  it('with lateness: the last revision of each is the naive one of all that was not put aside', () => {
    fc.assert(
      fc.property(lanes(40), picks, spans, fc.nat(40), (all, order, span, allowedLatenessMs) => {
        const happenings = interleaved(all, order);
        const { results, asides } = run(inTimeOf(happenings, 5), { ...span, allowedLatenessMs });
        const refused = new Set(asides.map(({ value }) => value));
        const last = new Map(results.map((result) => [`${result.startMs} ${result.key}`, result]));
        expect(shown([...last.values()])).toEqual(
          naive(
            happenings.filter((one) => !refused.has(one)),
            span,
          ),
        );
        // Revisions count up from 0 without a gap.
        const next = new Map<string, number>();
        for (const { startMs, key, revision } of results) {
          expect(revision).toBe(next.get(`${startMs} ${key}`) ?? 0);
          next.set(`${startMs} ${key}`, revision + 1);
        }
      }),
    );
  });

  it('of numbers: the moments of the parts are those of the whole', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 5 }), (numbers, laneCount) => {
        const machine = new PanesMachine<number, Moments, Stats, string>({
          sizeMs: 1000,
          slideMs: 100,
          reducer: statsOf((value: number) => value),
        });
        numbers.forEach((value, at) => {
          const more = { lane: `${at % laneCount}`, laneWatermarkMs: 0, watermarkMs: 0 };
          machine.next(inTime(value, 950 + at, more));
        });
        const whole = machine.complete().find(({ startMs }) => startMs === 500)?.value;
        const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
        const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        expect(whole?.count).toBe(numbers.length);
        expect(whole?.mean).toBeCloseTo(mean, 6);
        expect(Math.abs((whole?.variance ?? NaN) - squares / numbers.length)).toBeLessThanOrEqual(
          1e-9 * squares + 1e-9,
        );
        expect([whole?.min, whole?.max]).toEqual([Math.min(...numbers), Math.max(...numbers)]);
      }),
    );
  });
});

describe('the state of the panes', () => {
  it('is given back when the watermark has passed: nothing is kept of what can no longer change', () => {
    const machine = machineOf({ allowedLatenessMs: 7 });
    const at = (timeMs: number): Happening => ({ lane: '', key: 'k', timeMs, value: 1 });
    const sizes = (): number[] => {
      const { panes, revisions } = machine.capture();
      return [panes.length, revisions.length];
    };
    for (const [timeMs, expected] of [
      [3, [1, 0]],
      [10, [2, 1]],
      [16, [2, 1]],
      // The window until 10 can change until 17.
      [17, [1, 0]],
      [1000, [1, 0]],
    ] as const) {
      machine.next(inTime(at(timeMs), timeMs));
      expect(sizes()).toEqual(expected);
    }
    machine.complete();
    expect(machine.capture()).toMatchObject({ watermarkMs: null, panes: [], revisions: [] });
  });

  it('a snapshot is not changed by what comes after it', () => {
    const machine = machineOf({});
    const one: Happening = { lane: '', key: 'k', timeMs: 3, value: 1 };
    machine.next(inTime(one, 3));
    const saved = machine.capture();
    const text = JSON.stringify(saved);
    const other = machineOf({}, saved);
    machine.next(inTime(one, 3));
    other.next(inTime(one, 3));
    expect(JSON.stringify(saved)).toBe(text);
    expect(machine.capture()).toEqual(other.capture());
  });

  it('a watermark without an element closes windows, and one that does not move changes nothing', () => {
    const machine = machineOf({});
    machine.next(inTime({ lane: '', key: 'k', timeMs: 3, value: 5 }, 3));
    expect(machine.next({ kind: 'watermark', watermarkMs: 9 })).toEqual([]);
    expect(machine.next({ kind: 'watermark', watermarkMs: 10 })).toMatchObject([
      { startMs: 0, endMs: 10, value: [1, 5] },
    ]);
    expect(machine.next({ kind: 'watermark', watermarkMs: 10 })).toEqual([]);
    expect(machine.complete()).toEqual([]);
  });

  it('remembers which revision came out last over a restart', () => {
    const config = { allowedLatenessMs: 10 };
    const late = inTime({ lane: '', key: 'k', timeMs: 3, value: 1 }, 3, { laneWatermarkMs: 12, watermarkMs: 12 });
    const machine = machineOf(config);
    expect(machine.next(late)).toMatchObject([{ endMs: 10, revision: 0 }]);
    expect(machine.next(late)).toMatchObject([{ endMs: 10, value: [2, 2], revision: 1 }]);
    const saved = JSON.parse(JSON.stringify(machine.capture())) as PanesState<Sum, string>;
    expect(machineOf(config, saved).next(late)).toMatchObject([{ endMs: 10, value: [3, 3], revision: 2 }]);
  });

  it('an update comes out before the windows that the same element closes', () => {
    const machine = machineOf({ allowedLatenessMs: 100 });
    const at = (timeMs: number): Happening => ({ lane: '', key: 'k', timeMs, value: 1 });
    machine.next(inTime(at(3), 3));
    machine.next(inTime(at(13), 13));
    const both = machine.next(inTime(at(4), 4, { laneWatermarkMs: 13, watermarkMs: 20 }));
    expect(both).toMatchObject([
      { endMs: 10, revision: 1 },
      { endMs: 20, revision: 0 },
    ]);
  });

  it('a watermark that goes back opens nothing again, and a pane is closed from its end on', () => {
    const reasons: string[] = [];
    const machine = machineOf({ onAside: ({ reason }) => reasons.push(reason) });
    const back = { laneWatermarkMs: 0, watermarkMs: 0 };
    machine.next({ kind: 'watermark', watermarkMs: 10 });
    machine.next({ kind: 'watermark', watermarkMs: 5 });
    machine.next(inTime({ lane: '', key: 'k', timeMs: 9, value: 1 }, 9, back));
    machine.next(inTime({ lane: '', key: 'k', timeMs: 10, value: 1 }, 10, back));
    expect(reasons).toEqual(['closed']);
    expect(machine.complete()).toHaveLength(1);
  });

  it('as many panes as a window has are enough; what is refused is said with its numbers', () => {
    expect(() => machineOf({ sizeMs: 4, slideMs: 2, maxPanes: 2 })).not.toThrow();
    expect(() => machineOf({ sizeMs: 4, slideMs: 2, maxPanes: 1 })).toThrow('a window of 4 ms each 2 ms');
    const saved = machineOf({ sizeMs: 4, slideMs: 2 }).capture();
    expect(() => machineOf({ sizeMs: 4, slideMs: 4 }, saved)).toThrow('4, 2, 0 is not 4, 4, 0');
  });
});
