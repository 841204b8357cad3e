import { from, map } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { movingStats } from '../../src/operators/moving-stats.js';
import type { Moving, MovingStatsState } from '../../src/operators/moving-stats.js';
import { marbles } from '../marbles.js';
import { operatorCases } from './operator-cases.js';

const shown = map(({ key, stats }: Moving<unknown, string>) => `${key}${stats.count} ${stats.mean} ${stats.variance}`);
const extremes = map(({ stats }: Moving<unknown, string>) => [stats.min, stats.max]);
const timed = (text: string): { readonly value: number; readonly timeMs: number } => {
  const [timeMs = NaN, value = NaN] = text.split(':').map(Number);
  return { value, timeMs };
};

describe('movingStats', () => {
  it(
    'the window has the last maxCount numbers, the own one included',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -1-3-8-4-|');
      const subs = '         ^--------!';
      const expected = '     -w-x-y-z-|';
      const result = source.pipe(movingStats({ valueOf: (text: string) => Number(text), maxCount: 2 }));
      expectObservable(result.pipe(shown)).toBe(expected, { w: '1 1 0', x: '2 2 1', y: '2 5.5 6.25', z: '2 6 4' });
      expectObservable(result.pipe(extremes)).toBe(expected, { w: [1, 1], x: [1, 3], y: [3, 8], z: [4, 8] });
      expectSubscriptions(source.subscriptions).toBe([subs, subs]);
    }),
  );

  it(
    'or what is younger than maxAgeMs; what is exactly that old has left',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-c-d-|', { a: '0:2', b: '3:4', c: '5:6', d: '20:8' });
      const expected = '     -w-x-y-z-|';
      const window = movingStats({
        valueOf: (sample: ReturnType<typeof timed>) => sample.value,
        timeOf: (sample) => sample.timeMs,
        maxAgeMs: 5,
      });
      const result = source.pipe(map(timed), window, shown);
      expectObservable(result).toBe(expected, { w: '1 2 0', x: '2 3 1', y: '2 5 1', z: '1 8 0' });
    }),
  );

  it('every key has its own window; beyond maxKeys the one seen longest ago is forgotten', () => {
    const results: string[] = [];
    from(['a1', 'b5', 'a3', 'c7', 'b9', 'a5'])
      .pipe(movingStats({ valueOf: (text) => Number(text[1]), keyOf: (text) => text.charAt(0), maxKeys: 2 }), shown)
      .subscribe((result) => results.push(result));
    expect(results).toEqual(['a1 1 0', 'b1 5 0', 'a2 2 1', 'c1 7 0', 'b1 9 0', 'a1 5 0']);
  });

  it('a number that is not finite is left out; what was in the window grows old all the same', () => {
    const counts: number[] = [];
    from(['0:NaN', '1:2', '2:Infinity', '9:x'].map(timed))
      .pipe(movingStats({ valueOf: ({ value }) => value, timeOf: ({ timeMs }) => timeMs, maxAgeMs: 5 }))
      .subscribe(({ stats }) => counts.push(stats.count, stats.mean));
    expect(counts).toEqual([0, NaN, 1, 2, 1, 2, 0, NaN]);
  });

  it('refuses a window that holds nothing', () => {
    const errors: unknown[] = [];
    for (const limits of [{ maxCount: 0 }, { maxAgeMs: 0 }, { maxCount: NaN }]) {
      from([1])
        .pipe(movingStats({ valueOf: (value: number) => value, ...limits }))
        .subscribe({ error: (error: unknown) => errors.push(error) });
    }
    expect(errors).toMatchObject(Array.from({ length: 3 }, () => ({ code: 'MILLRACE_E_CONFIG_INVALID' })));
  });

  it('knows its types in a pipe', () => {
    const result = from<{ readonly host: string; readonly load: number }[]>([]).pipe(
      movingStats({ valueOf: ({ load }) => load, keyOf: ({ host }) => host, maxCount: 9 }),
      map(({ element, key, stats }) => [element.load, key, stats.std] as const),
    );
    expectTypeOf(result).toEqualTypeOf(from<(readonly [number, string, number])[]>([]));
  });

  operatorCases<number, Moving<number, string>, MovingStatsState<string>>({
    operator: (state) => movingStats({ valueOf: (n: number) => (n * 7919) % 31, maxCount: 3, state }),
    element: (n) => n,
    firstWith: 1,
    throwing: (error) =>
      movingStats({
        valueOf: () => {
          throw error;
        },
      }),
  });
});
