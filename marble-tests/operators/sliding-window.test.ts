import { from, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PanesState, WindowResult } from '../../src/operators/panes.js';
import { countOf } from '../../src/operators/reducers.js';
import type { Reducer } from '../../src/operators/reducers.js';
import { slidingWindow } from '../../src/operators/sliding-window.js';
import type { Watermarked } from '../../src/operators/watermarked.js';
import { withWatermark } from '../../src/operators/with-watermark.js';
import { Asides, inTime } from '../fakes/in-time.js';
import { marbles } from '../marbles.js';
import { operatorCases } from './operator-cases.js';

const joined: Reducer<string, string, string> = {
  create: () => '',
  add: (text, element) => text + element,
  merge: (one, other) => one + other,
  result: (text) => text,
};
const shown = map(({ startMs, endMs, value, revision }: WindowResult<string, unknown>) => {
  return `${startMs}-${endMs} ${String(value)}${'!'.repeat(revision)}`;
});
const inOrder = withWatermark({ timeOf: (text: string) => Number(text) });

describe('slidingWindow', () => {
  it(
    'an element is in every window that covers it; the first and last windows are not full',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -1-2-4-7-|    ');
      const subs = '         ^--------!    ';
      const expected = '     ---x-y-z-(vw|)';
      const result = source.pipe(inOrder, slidingWindow({ sizeMs: 4, slideMs: 2, reducer: joined }), shown);
      const values = { x: '-2-2 1', y: '0-4 12', z: '2-6 24', v: '4-8 47', w: '6-10 7' };
      expectObservable(result).toBe(expected, values);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'size and slide may be cut by panes that are shorter than both',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -0-1-3-5-6-|     ');
      const expected = '     ---u-x-y---(zvw|)';
      const result = source.pipe(inOrder, slidingWindow({ sizeMs: 5, slideMs: 2, reducer: joined }), shown);
      const values = { u: '-4-1 0', x: '-2-3 01', y: '0-5 013', z: '2-7 356', v: '4-9 56', w: '6-11 6' };
      expectObservable(result).toBe(expected, values);
    }),
  );

  it(
    'late is an element whose pane is over; within the allowed lateness every window that came out changes at once',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  -3-4-2-7-1-3-|    ');
      const strict = '       ---x---y-----(zv|)';
      const asides = new Asides();
      const window = slidingWindow({ sizeMs: 4, slideMs: 2, reducer: joined, onAside: asides.take });
      const values = { x: '0-4 3', y: '2-6 34', z: '4-8 47', v: '6-10 7' };
      expectObservable(source.pipe(inOrder, window, shown)).toBe(strict, values);
      flush();
      expect(asides.seen).toEqual(['late 2', 'late 1', 'late 3']);
    }),
  );

  it('within the allowed lateness every window that came out with its pane changes, at once', () => {
    const asides = new Asides();
    const results: string[] = [];
    const allowedLatenessMs = 3;
    from(['3', '6', '3', '4', '8', '3'])
      .pipe(
        inOrder,
        slidingWindow({ sizeMs: 4, slideMs: 2, reducer: joined, allowedLatenessMs, onAside: asides.take }),
        shown,
      )
      .subscribe((result) => results.push(result));
    expect(results).toEqual([
      // 6 closes two windows …
      ...['0-4 3', '2-6 3'],
      // … 3 changes both, 4 the one that it is in …
      ...['0-4 33!', '2-6 33!', '2-6 334!!'],
      // … and 8 has closed the pane of 3 for good.
      ...['4-8 46', '6-10 68', '8-12 8'],
    ]);
    expect(asides.seen).toEqual(['late 3']);
  });

  it('jumps over time in which nothing happened', () => {
    const results: unknown[] = [];
    from([inTime('a', 1), inTime('b', 1e12)])
      .pipe(slidingWindow({ sizeMs: 4, slideMs: 2, reducer: joined }), shown)
      .subscribe((result) => results.push(result));
    expect(results).toEqual(['-2-2 a', '0-4 a', '999999999998-1000000000002 b', '1000000000000-1000000000004 b']);
  });

  it('refuses what has no panes, or too many', () => {
    const errors: unknown[] = [];
    for (const [sizeMs, slideMs] of [
      [4, 5],
      [4, 0],
      [1001, 2],
    ] as const) {
      from([inTime('a', 1)])
        .pipe(slidingWindow({ sizeMs, slideMs, reducer: joined }))
        .subscribe({ error: (error: unknown) => errors.push(error) });
    }
    expect(errors).toMatchObject(Array.from({ length: 3 }, () => ({ code: 'MILLRACE_E_CONFIG_INVALID' })));
  });

  operatorCases<Watermarked<number>, WindowResult<string, number>, PanesState<number, string>>({
    operator: (state) => slidingWindow({ sizeMs: 1, slideMs: 1, reducer: countOf<number>(), state }),
    element: (n) => inTime(n, n),
    firstWith: 2,
    throwing: (error) =>
      slidingWindow({
        sizeMs: 2,
        slideMs: 1,
        reducer: {
          ...countOf<number>(),
          add: () => {
            throw error;
          },
        },
      }),
  });
});
