import { filter, from, map } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { dynamicThreshold } from '../../src/operators/dynamic-threshold.js';
import type { DynamicThresholdConfig, Judged, ThresholdState } from '../../src/operators/dynamic-threshold.js';
import { KeptState } from '../../src/operators/kept-state.js';
import { marbles } from '../marbles.js';
import { operatorCases } from './operator-cases.js';

type Config = Omit<DynamicThresholdConfig<number, string>, 'valueOf'>;

function judge(values: readonly number[], config: Config = {}): Judged<number, string>[] {
  const judged: Judged<number, string>[] = [];
  from(values)
    .pipe(dynamicThreshold({ valueOf: (value: number) => value, ...config }))
    .subscribe((result) => judged.push(result));
  return judged;
}

/** Which of the numbers were breaches. */
const breaches = (values: readonly number[], config?: Config): number[] =>
  judge(values, config)
    .filter(({ isBreach }) => isBreach)
    .map(({ value }) => value);

describe('dynamicThreshold', () => {
  it(
    'by default: outside is more than 2 standard deviations from the mean of the last 5 numbers',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -1-3-1-3-2-4-4-1-9-|');
      const subs = '         ^------------------!';
      const expected = '     -----------b-----c-|';
      const isBreach = filter(({ isBreach }: Judged<string, string>) => isBreach);
      const value = map(({ value: each }: Judged<string, string>) => each);
      const result = source.pipe(dynamicThreshold({ valueOf: (text: string) => Number(text) }), isBreach, value);
      // 1 3 1 3 2: mean 2, deviation √0.8, so from 2 − 1.79 to 2 + 1.79 all is well. Then 4 is outside.
      expectObservable(result).toBe(expected, { b: 4, c: 9 });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it('a number is judged by those before it: inside its own baseline 5 numbers never breach', () => {
    expect(breaches([1, 1, 1, 1, 2, 1000])).toEqual([1000]);
    // The greatest distance that one of n numbers can have is √(n − 1) deviations: 2 for five, and 2 is not more than 2.
    const values = [1, 1, 1, 1, 1000];
    const mean = values.reduce((sum, value) => sum + value) / 5;
    const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5);
    expect((1000 - mean) / std).toBeCloseTo(2, 12);
  });

  it('exactly maxDeviation spreads is not outside', () => {
    // Mean 2, deviation 1.
    expect(breaches([1, 3, 1, 3, 4], { window: 4 })).toEqual([]);
    expect(breaches([1, 3, 1, 3, 4.001], { window: 4 })).toEqual([4.001]);
    expect(breaches([1, 3, 1, 3, 0], { window: 4, maxDeviation: 1.9 })).toEqual([0]);
  });

  it('says what it judged by; the score is 0.5 at the threshold', () => {
    const [, , , , last] = judge([1, 3, 1, 3, 6], { window: 4 });
    expect(last).toEqual({
      element: 6,
      key: '',
      value: 6,
      baseline: { center: 2, spread: 1, samples: 4 },
      deviation: 4,
      score: 4 / 6,
      outsideInARow: 1,
      isBreach: true,
    });
    expect(judge([1, 3, 1, 3, 4], { window: 4 })[4]?.score).toBe(0.5);
  });

  it('does not judge before minSamples, nor what is not finite; that is not learnt either', () => {
    const [first, second] = judge([1, 1000], { minSamples: 2 });
    expect([first?.baseline, second?.baseline, second?.score]).toEqual([undefined, undefined, 0]);
    expect(breaches([1, 1, 9], { minSamples: 2 })).toEqual([9]);
    expect(breaches([1, 1, 1, 1, 9])).toEqual([]);
    expect(breaches([1, 3, 1, 3, NaN, Infinity, 4.5], { window: 4 })).toEqual([4.5]);
    expect(judge([5, 7], { minSamples: 0 })[0]?.baseline).toBeUndefined();
  });

  it('a breach needs as many in a row as consecutive says', () => {
    const values = [1, 3, 1, 3, 9, 2, 90, 900, 9000];
    expect(breaches(values, { window: 4, consecutive: 2 })).toEqual([900, 9000]);
    expect(judge(values, { window: 4, consecutive: 2 }).map(({ outsideInARow }) => outsideInARow)).toEqual([
      0, 0, 0, 0, 1, 0, 1, 2, 3,
    ]);
  });

  it('a constant baseline: the same number is not far at all, any other infinitely far, unless minSpread says more', () => {
    const constant = Array.from({ length: 5 }, () => 0.1);
    const [same, other] = [judge([...constant, 0.1])[5], judge([...constant, 0.2])[5]];
    expect([same?.deviation, same?.isBreach]).toEqual([0, false]);
    expect([other?.deviation, other?.score, other?.isBreach]).toEqual([Infinity, 1, true]);
    // Rounding is no difference.
    expect(breaches([...constant, 0.1 + 2e-17, 0.30000000000000004 - 0.2])).toEqual([]);
    expect(breaches([0, 0, 0, 0, 0, 0])).toEqual([]);
    expect(breaches([...constant, 0.2], { minSpread: 0.05 })).toEqual([]);
    expect(breaches([...constant, 0.21], { minSpread: 0.05 })).toEqual([0.21]);
  });

  it('medianMad bears wild numbers in its baseline, where mean and deviation are blinded by one', () => {
    const values = [10, 11, 9, 10, 500, 30];
    expect(breaches(values)).toEqual([]);
    expect(breaches(values, { method: 'medianMad' })).toEqual([30]);
    // Median 10, distances 0 0 1 1 490: 1.4826 is one deviation.
    expect(judge(values, { method: 'medianMad' })[5]?.baseline).toEqual({ center: 10, spread: 1.4826, samples: 5 });
    expect(judge([1, 2, 3, 10, 7], { method: 'medianMad', window: 4 })[4]?.baseline?.center).toBe(2.5);
  });

  it('medianMad: when more than half are the same, the mean distance stands in', () => {
    const [, , , , , judged] = judge([5, 5, 5, 5, 10, 6], { method: 'medianMad' });
    expect(judged?.baseline).toEqual({ center: 5, spread: 1.2533, samples: 5 });
    expect(breaches([5, 5, 5, 5, 5, 6], { method: 'medianMad' })).toEqual([6]);
  });

  it('ewma: the older a number the less it weighs, as T. Finch has it', () => {
    const values = [1, 4, 2, 8, 5, 7];
    const alpha = 0.5;
    let [mean, variance] = [1, 0];
    for (const value of values.slice(1, -1)) {
      variance = (1 - alpha) * (variance + alpha * (value - mean) ** 2);
      mean = (1 - alpha) * mean + alpha * value;
    }
    const judged = judge(values, { method: 'ewma', window: 3 })[5];
    expect(judged?.baseline?.center).toBeCloseTo(mean, 12);
    expect(judged?.baseline?.spread).toBeCloseTo(Math.sqrt(variance), 12);
    expect(judged?.baseline?.samples).toBe(5);
    expect(breaches([...values, 700], { method: 'ewma', minSamples: 6 })).toEqual([700]);
  });

  it('every key has its own baseline; beyond maxKeys the one seen longest ago is forgotten', () => {
    const judged: unknown[] = [];
    from(['a1', 'b5', 'a1', 'a9', 'c1', 'b5', 'a9'])
      .pipe(dynamicThreshold({ valueOf: (t) => Number(t[1]), keyOf: (t) => t.charAt(0), window: 2, maxKeys: 2 }))
      .subscribe(({ element, baseline, isBreach }) => judged.push([element, baseline?.samples, isBreach]));
    expect(judged).toEqual([
      ['a1', undefined, false],
      ['b5', undefined, false],
      ['a1', undefined, false],
      ['a9', 2, true],
      ['c1', undefined, false],
      ['b5', undefined, false],
      ['a9', undefined, false],
    ]);
  });

  it('refuses a window that is none, more samples than it ever has, and a state of another method', () => {
    const errors: unknown[] = [];
    const state = new KeptState<ThresholdState<string>>({ version: 1, method: 'ewma', keys: [] });
    for (const config of [{ window: 0 }, { window: 3, minSamples: 4 }, { state }]) {
      from([1])
        .pipe(dynamicThreshold({ valueOf: (value: number) => value, ...config }))
        .subscribe({ error: (error: unknown) => errors.push(error) });
    }
    expect(errors).toMatchObject([
      { code: 'MILLRACE_E_CONFIG_INVALID' },
      { code: 'MILLRACE_E_CONFIG_INVALID' },
      { code: 'MILLRACE_E_STATE_UNFIT' },
    ]);
    expect(breaches([1, 2, 3], { method: 'ewma', window: 1, minSamples: 3 })).toEqual([]);
  });

  it('knows its types in a pipe', () => {
    const result = from<{ readonly host: string; readonly load: number }[]>([]).pipe(
      dynamicThreshold({ valueOf: ({ load }) => load, keyOf: ({ host }) => host }),
    );
    expectTypeOf(result).toEqualTypeOf(from<Judged<{ readonly host: string; readonly load: number }, string>[]>([]));
  });

  describe.each(['meanStd', 'medianMad', 'ewma'] as const)('%s', (method) => {
    operatorCases<number, Judged<number, string>, ThresholdState<string>>({
      operator: (state) => dynamicThreshold({ valueOf: (n: number) => (n * 7919) % 31, window: 3, method, state }),
      element: (n) => n,
      firstWith: 1,
      throwing: (error) =>
        dynamicThreshold({
          valueOf: () => {
            throw error;
          },
        }),
    });
  });
});
