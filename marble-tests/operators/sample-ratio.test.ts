import { from, range } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { sampleRatio } from '../../src/operators/sample-ratio.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

function passed(ratio: number, keys: readonly string[]): string[] {
  const got: string[] = [];
  from(keys)
    .pipe(sampleRatio(ratio, (key) => key))
    .subscribe((key) => got.push(key));
  return got;
}

const keys = Array.from({ length: 10_000 }, (_, n) => `trace-${n}`);

describe('sampleRatio', () => {
  packStandingCases(() => sampleRatio(1, () => 'key'));
  throwIsAnErrorNotification({ key: (key) => sampleRatio(0.5, key) });

  it.each([0.01, 0.1, 0.5, 0.9])('lets about %d of the keys through', (ratio) => {
    const share = passed(ratio, keys).length / keys.length;
    // Four standard deviations of a fair choice.
    expect(Math.abs(share - ratio)).toBeLessThan(4 * Math.sqrt((ratio * (1 - ratio)) / keys.length));
  });

  it('of 0 lets nothing through, of 1 everything', () => {
    expect(passed(0, keys)).toEqual([]);
    expect(passed(1, keys)).toEqual(keys);
  });

  it('gives the same key the same answer, and a larger ratio has all of a smaller one', () => {
    const small = passed(0.1, keys);
    expect(passed(0.1, [...keys].reverse()).reverse()).toEqual(small);
    const large = new Set(passed(0.3, keys));
    expect(small.filter((key) => !large.has(key))).toEqual([]);
  });

  it('all values of a key pass, or none', () => {
    const counts = new Map<number, number>();
    range(0, 1000)
      .pipe(sampleRatio(0.5, (n) => `key ${n % 10}`))
      .subscribe((n) => counts.set(n % 10, (counts.get(n % 10) ?? 0) + 1));
    expect([...counts.values()].every((count) => count === 100)).toBe(true);
    expect(counts.size).toBeGreaterThan(0);
  });

  it('refuses a ratio that is none', () => {
    expect(() => sampleRatio(1.1, () => '')).toThrow('ratio is 1.1');
    expect(() => sampleRatio(Number.NaN, () => '')).toThrow('ratio is NaN');
  });
});
