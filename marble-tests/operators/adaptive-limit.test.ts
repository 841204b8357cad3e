import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aimdLimit, gradientLimit } from '../../src/operators/adaptive-limit.js';
import type { CallSample, LimitRule, LimitState } from '../../src/operators/adaptive-limit.js';

const ok = (latencyMs: number, running = 100): CallSample => ({ latencyMs, running, hasFailed: false });

function after(rule: LimitRule, samples: readonly CallSample[]): LimitState {
  return samples.reduce((state, sample) => rule.next(state, sample), rule.initial);
}

describe('aimdLimit', () => {
  const rule = aimdLimit({ initial: 10, max: 12, maxLatencyMs: 50 });

  it('grows by one after a good call, up to its most', () => {
    expect(
      [0, 1, 2, 3].map(
        (calls) =>
          after(
            rule,
            Array.from({ length: calls }, () => ok(50)),
          ).limit,
      ),
    ).toEqual([10, 11, 12, 12]);
  });

  it('does not grow while it is less than half used', () => {
    expect(after(rule, [ok(1, 4)]).limit).toBe(10);
    expect(after(rule, [ok(1, 5)]).limit).toBe(11);
  });

  it('shrinks by a tenth after a slow or failed call, down to its least', () => {
    expect(after(rule, [ok(51)]).limit).toBe(9);
    expect(after(rule, [{ ...ok(1), hasFailed: true }]).limit).toBe(9);
    expect(
      after(
        rule,
        Array.from({ length: 50 }, () => ok(51)),
      ).limit,
    ).toBe(1);
  });
});

describe('gradientLimit', () => {
  const rule = gradientLimit({ initial: 20, max: 100 });

  it('grows while the latency is what it normally is, and shrinks with its gradient', () => {
    const normal = after(rule, [ok(10), ok(10)]);
    expect(normal.limit).toBeCloseTo(20 + 0.2 * 4 + 0.2 * 4);
    const slow = rule.next(normal, ok(100));
    // A tenth of the gradient, clamped to a half: 0.8 · limit + 0.2 · (limit / 2 + 4).
    expect(slow.limit).toBeCloseTo(normal.limit * 0.8 + (normal.limit * 0.5 + 4) * 0.2);
  });

  it('stays while it is less than half used, and learns what is normal all the same', () => {
    const idle = rule.next(rule.initial, ok(10, 9));
    expect(idle).toEqual({ limit: 20, baselineMs: 10 });
  });

  it('forgets a slow past quickly', () => {
    const recovered = after(rule, [ok(100), ...Array.from({ length: 100 }, () => ok(10))]);
    expect(recovered.baselineMs).toBeLessThan(21);
    expect(after(rule, [ok(10)]).baselineMs).toBe(10);
  });

  it('a call that took no time at all is no division by zero', () => {
    expect(after(rule, [ok(0), ok(0)]).limit).toBeGreaterThan(20);
  });
});

describe.each([
  ['aimdLimit', aimdLimit({ min: 2, initial: 5, max: 50, maxLatencyMs: 10 })],
  ['gradientLimit', gradientLimit({ min: 2, initial: 5, max: 50 })],
])('%s', (_, rule) => {
  it('stays within its bounds, whatever happens', () => {
    const sample = fc.record({ latencyMs: fc.nat(1000), running: fc.nat(200), hasFailed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 200 }), (samples) => {
        const { limit } = after(rule, samples);
        expect(limit).toBeGreaterThanOrEqual(2);
        expect(limit).toBeLessThanOrEqual(50);
      }),
    );
  });
});

describe('bounds that make no sense', () => {
  it('are refused when they are written', () => {
    expect(() => aimdLimit({ min: 0, max: 5, maxLatencyMs: 1 })).toThrow('min is 0');
    expect(() => gradientLimit({ min: 6, max: 5 })).toThrow('max is 5');
  });
});
