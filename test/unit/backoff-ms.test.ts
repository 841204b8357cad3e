import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/operators/backoff.js';

const tries = fc.integer({ min: 1, max: 5000 });
const bounds = fc.tuple(fc.nat(10_000), fc.nat(100_000));
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it('doubles up to the cap', () => {
    const policy = { initialMs: 100, maxMs: 1000, jitter: 0 };
    expect([1, 2, 3, 4, 5, 6].map((n) => backoffMs(policy, n))).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('has defaults: 100 ms, 30 s, full jitter', () => {
    expect(backoffMs({ random: () => 0.5 }, 1)).toBe(50);
    expect(backoffMs({ random: () => 0.5 }, 1000)).toBe(15_000);
    expect(backoffMs({}, 1)).toBeLessThan(100);
  });

  it('the random given beside the policy comes first', () => {
    expect(backoffMs({ initialMs: 8, random: () => 0 }, 1, () => 0.5)).toBe(4);
  });

  it('full jitter stays between nothing and the stair', () => {
    fc.assert(
      fc.property(bounds, tries, chance, ([initialMs, maxMs], n, random) => {
        const stair = backoffMs({ initialMs, maxMs, jitter: 0 }, n);
        const wait = backoffMs({ initialMs, maxMs }, n, () => random);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(stair);
        expect(stair).toBeLessThanOrEqual(maxMs);
      }),
    );
  });

  it('clamped jitter stays around the stair, between the first wait and the cap', () => {
    fc.assert(
      fc.property(bounds, tries, chance, chance, ([initialMs, more], n, jitter, random) => {
        const maxMs = initialMs + more;
        const stair = backoffMs({ initialMs, maxMs, jitter: 0 }, n);
        const wait = backoffMs({ initialMs, maxMs, jitter }, n, () => random);
        expect(wait).toBeGreaterThanOrEqual(Math.max(initialMs, stair * (1 - jitter)) - 1e-6);
        expect(wait).toBeLessThanOrEqual(Math.min(maxMs, stair * (1 + jitter)) + 1e-6);
      }),
    );
  });

  it('clamped jitter takes from the stair, or adds to it, up to that share', () => {
    const policy = { initialMs: 100, maxMs: 10_000, jitter: 0.5 };
    expect([0, 0.25, 0.5, 0.75].map((random) => backoffMs(policy, 4, () => random))).toEqual([400, 600, 800, 1000]);
  });

  it('asks for no random number without jitter', () => {
    const random = (): number => {
      throw new Error('mine');
    };
    expect(backoffMs({ initialMs: 100, jitter: 0, random }, 1)).toBe(100);
  });

  it('never falls without jitter', () => {
    fc.assert(
      fc.property(bounds, tries, ([initialMs, maxMs], n) => {
        const policy = { initialMs, maxMs, jitter: 0 };
        expect(backoffMs(policy, n + 1)).toBeGreaterThanOrEqual(backoffMs(policy, n));
      }),
    );
  });
});
