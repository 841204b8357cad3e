import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MovingWindow } from '../../src/operators/moving-window.js';
import type { MovingState } from '../../src/operators/moving-window.js';

/** Mean and variance in two passes, with the correction for the rounding of the mean (Chan, Golub, LeVeque, 1983). */
function twoPass(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const rest = values.reduce((sum, value) => sum + (value - mean), 0);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean: mean + rest / values.length, variance: (squares - rest ** 2 / values.length) / values.length };
}

const relative = (actual: number, expected: number): number =>
  actual === expected ? 0 : Math.abs(actual - expected) / Math.abs(expected);

function check(window: MovingWindow, values: readonly number[]): void {
  const { mean, variance } = twoPass(values);
  const { stats } = window;
  expect(stats.count).toBe(values.length);
  // Numbers of both signs may cancel to a mean near 0: no sum of them is better than their size allows.
  const size = values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  expect(Math.abs(stats.mean - mean)).toBeLessThanOrEqual(1e-9 * size);
  const isConstant = values.every((value) => value === values[0]);
  if (isConstant) expect(stats.variance).toBe(0);
  else expect(relative(stats.variance, variance)).toBeLessThan(1e-9);
  expect([stats.min, stats.max]).toEqual([Math.min(...values), Math.max(...values)]);
}

const offset = fc.constantFrom(0, 1, 1e6, -1e9, 1e9, 1e11);
const noise = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 80 });

describe('MovingWindow', () => {
  it('equals two passes over the window within 1e-9, whatever the offset', () => {
    fc.assert(
      fc.property(offset, noise, fc.integer({ min: 1, max: 20 }), (from, numbers, maxCount) => {
        const window = new MovingWindow({ maxCount, maxAgeMs: Infinity });
        const values = numbers.map((number) => from + number / 8);
        values.forEach((value, at) => {
          window.add(value, 0);
          check(window, values.slice(Math.max(0, at + 1 - maxCount), at + 1));
        });
      }),
    );
  });

  it('also when the offset jumps, and after numbers that dwarf the rest have left', () => {
    const jump = fc.record({ from: fc.constantFrom(0, 1e9, -1e9, 1e5), count: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(
        fc.array(jump, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 2, max: 12 }),
        (jumps, maxCount) => {
          const window = new MovingWindow({ maxCount, maxAgeMs: Infinity });
          const values: number[] = [];
          for (const { from, count } of jumps) {
            for (let n = 0; n < count; n++) {
              values.push(from + ((n * 7919) % 31) / 16);
              window.add(values.at(-1) ?? NaN, 0);
              check(window, values.slice(-maxCount));
            }
          }
        },
      ),
    );
  });

  it('has no error that builds up in a million numbers', () => {
    const window = new MovingWindow({ maxCount: 100, maxAgeMs: Infinity });
    const valueAt = (n: number): number => (n % 1000 === 0 ? 1e15 : 1e9 + ((n * 7919) % 101) / 8);
    for (let n = 0; n < 1e6; n++) window.add(valueAt(n), 0);
    check(
      window,
      Array.from({ length: 100 }, (_, at) => valueAt(1e6 - 100 + at)),
    );
  });

  it('by age: what is maxAgeMs old has left', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(7), fc.nat(99)), { minLength: 1 }),
        fc.integer({ min: 1, max: 20 }),
        (steps, maxAgeMs) => {
          const window = new MovingWindow({ maxCount: 1000, maxAgeMs });
          const seen: { readonly value: number; readonly timeMs: number }[] = [];
          let timeMs = 0;
          for (const [ms, value] of steps) {
            timeMs += ms;
            seen.push({ value, timeMs });
            window.add(value, timeMs);
            check(
              window,
              seen.filter((one) => one.timeMs > timeMs - maxAgeMs).map((one) => one.value),
            );
          }
        },
      ),
    );
  });

  it('goes on from a snapshot bit for bit', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((x) => x + 0),
          { maxLength: 60 },
        ),
        fc.nat(60),
        (values, cut) => {
          const limits = { maxCount: 7, maxAgeMs: Infinity };
          const whole = new MovingWindow(limits);
          values.slice(0, cut).forEach((value) => whole.add(value, 0));
          const saved = JSON.parse(JSON.stringify(whole.capture())) as MovingState;
          const restored = new MovingWindow(limits, saved);
          for (const value of [...values.slice(cut), 1, 2, 3]) {
            whole.add(value, 0);
            restored.add(value, 0);
            expect(restored.stats).toEqual(whole.stats);
          }
        },
      ),
    );
  });

  it('holds the window, no more', () => {
    const window = new MovingWindow({ maxCount: 5, maxAgeMs: Infinity });
    for (let n = 0; n < 1000; n++) {
      window.add(n, n);
      expect(window.count).toBe(Math.min(n + 1, 5));
      const { front, back } = window.capture();
      expect([...front, ...back].map(([value]) => value)).toEqual(
        Array.from({ length: window.count }, (_, at) => n + 1 - window.count + at),
      );
    }
  });

  it('is empty at first: count 0, the rest is not a number or without bounds', () => {
    const { stats } = new MovingWindow({ maxCount: 5, maxAgeMs: Infinity });
    expect(stats).toEqual({ count: 0, mean: NaN, variance: NaN, std: NaN, min: Infinity, max: -Infinity });
  });
});
