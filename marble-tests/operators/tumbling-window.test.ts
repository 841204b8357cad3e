import { from, map, pipe } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { KeptState } from '../../src/operators/kept-state.js';
import type { PanesState, WindowResult } from '../../src/operators/panes.js';
import { countOf, sumOf } from '../../src/operators/reducers.js';
import type { Reducer } from '../../src/operators/reducers.js';
import { tumblingWindow } from '../../src/operators/tumbling-window.js';
import type { Watermarked } from '../../src/operators/watermarked.js';
import { withWatermark } from '../../src/operators/with-watermark.js';
import { Asides, inTime } from '../fakes/in-time.js';
import { marbles } from '../marbles.js';
import { operatorCases } from './operator-cases.js';

/** Puts the elements side by side: what is in a window, and in which order it was merged. */
const joined: Reducer<string, string, string> = {
  create: () => '',
  add: (text, element) => text + element,
  merge: (one, other) => one + other,
  result: (text) => text,
};

/** `0-5 abc`, with the key before and the revision after it where they say something. */
const shown = map(({ key, startMs, endMs, value, revision }: WindowResult<string, unknown>) => {
  return `${key}${startMs}-${endMs} ${String(value)}${'!'.repeat(revision)}`;
});

/** The time of an element is its digit: `3` happened at 3 ms, `a3` in lane a. */
const timeOf = (text: string): number => Number(text.replace(/\D/g, ''));
const laneOf = (text: string): string => text.replace(/\d/g, '');
const inOrder = withWatermark({ timeOf });
const disordered = withWatermark({ timeOf, maxDisorderMs: 3 });
const two = withWatermark({ timeOf, laneOf });
const lanes = { a: 'a1', b: 'b1', c: 'a6', d: 'b3', e: 'b7', f: 'a12', g: 'b12' };

describe('tumblingWindow', () => {
  it(
    'a window comes out when the watermark has passed its end, and what is open on completion',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -0-3-4-5-7-|   ');
      const subs = '         ^----------!   ';
      const expected = '     -------x---(y|)';
      const result = source.pipe(inOrder, tumblingWindow({ sizeMs: 5, reducer: joined }), shown);
      expectObservable(result).toBe(expected, { x: '0-5 034', y: '5-10 57' });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'waits for what is out of order within the bound; what is beyond it goes to the side output',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  -3-6-4-7-8-2-|   ');
      const expected = '     ---------x---(y|)';
      const asides = new Asides();
      const window = tumblingWindow({ sizeMs: 5, reducer: joined, onAside: asides.take });
      expectObservable(source.pipe(disordered, window, shown)).toBe(expected, { x: '0-5 34', y: '5-10 678' });
      flush();
      expect(asides.seen).toEqual(['late 2']);
    }),
  );

  it(
    'within the allowed lateness a late element makes a new revision, later it is put aside',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  -1-5-2-7-3-8-4-|   ');
      const expected = '     ---x-y---z-----(w|)';
      const asides = new Asides();
      const window = tumblingWindow({ sizeMs: 5, reducer: joined, allowedLatenessMs: 3, onAside: asides.take });
      const values = { x: '0-5 1', y: '0-5 12!', z: '0-5 123!!', w: '5-10 578' };
      expectObservable(source.pipe(inOrder, window, shown)).toBe(expected, values);
      flush();
      expect(asides.seen).toEqual(['late 4']);
    }),
  );

  it(
    'a late element of a new key is the first revision of its result',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-c-    ', { a: 'a1', b: 'a5', c: 'b2' });
      const expected = '     ---x-y-    ';
      const config = { sizeMs: 5, reducer: joined, keyOf: laneOf, allowedLatenessMs: 3 };
      const values = { x: 'a0-5 a1', y: 'b0-5 b2' };
      expectObservable(source.pipe(inOrder, tumblingWindow(config), shown)).toBe(expected, values);
    }),
  );

  it(
    'every key has its own result; windows with nothing in them do not come out',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-c-d-----|  ', { a: 'x1', b: 'y2', c: 'x4', d: 'x22' });
      const expected = '     -------(pq)--(r|)';
      const window = tumblingWindow({ sizeMs: 5, keyOf: laneOf, reducer: countOf<string>() });
      const values = { p: 'x0-5 2', q: 'y0-5 1', r: 'x20-25 1' };
      expectObservable(source.pipe(inOrder, window, shown)).toBe(expected, values);
    }),
  );

  it(
    'waits for the slowest lane, and merges the lanes by name however they interleave',
    marbles(({ cold, expectObservable }) => {
      const one = cold('     -a-b-c-d-e-f-g-|  ', lanes);
      const other = cold('   -b-a-d-c-f-e-g-|  ', lanes);
      const expected = '     ---------x---y-(z|)';
      const later = '        -----------x-y-(z|)';
      const values = { x: '0-5 a1b1b3', y: '5-10 a6b7', z: '10-15 a12b12' };
      const windows = pipe(two, tumblingWindow({ sizeMs: 5, reducer: joined }), shown);
      expectObservable(one.pipe(windows)).toBe(expected, values);
      expectObservable(other.pipe(windows)).toBe(later, values);
    }),
  );

  it(
    'late is judged by the own lane: one that is ahead makes no other lane late',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  -a-b-c-d-e-f-|   ', { a: 'a1', b: 'b1', c: 'a99', d: 'b2', e: 'b9', f: 'b3' });
      const expected = '     ---------x---(yz|)';
      const asides = new Asides();
      const window = tumblingWindow({ sizeMs: 5, reducer: joined, onAside: asides.take });
      const values = { x: '0-5 a1b1b2', y: '5-10 b9', z: '95-100 a99' };
      expectObservable(source.pipe(two, window, shown)).toBe(expected, values);
      flush();
      expect(asides.seen).toEqual(['late bb3']);
    }),
  );

  it(
    'an idle lane is not waited for; what it brings for a window that is gone is put aside as closed',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  ab-c-----d------e|  ', { a: 'b1', b: 'a1', c: 'a6', d: 'b2', e: 'b6' });
      const idle = withWatermark({ timeOf, laneOf, idleMs: 5 });
      const expected = '     -----x-----------(y|)';
      const asides = new Asides();
      const window = tumblingWindow({ sizeMs: 5, reducer: joined, onAside: asides.take });
      expectObservable(source.pipe(idle, window, shown)).toBe(expected, { x: '0-5 a1b1', y: '5-10 a6b6' });
      flush();
      expect(asides.seen).toEqual(['closed bb2']);
    }),
  );

  it(
    'an element on the edge is in the window that begins there; windows may be moved',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -4-5-9-|   ');
      const expected = '     ---x---(y|)';
      const moved = '        -----x-(y|)';
      const windows = (offsetMs: number): OperatorFunction<string, string> =>
        pipe(inOrder, tumblingWindow({ sizeMs: 5, offsetMs, reducer: joined }), shown);
      expectObservable(source.pipe(windows(0))).toBe(expected, { x: '0-5 4', y: '5-10 59' });
      expectObservable(source.pipe(windows(1))).toBe(moved, { x: '1-6 45', y: '6-11 9' });
    }),
  );

  it('before 1970 there are windows, too', () => {
    const results: unknown[] = [];
    from([inTime('a', -7), inTime('b', -5), inTime('c', -1)])
      .pipe(tumblingWindow({ sizeMs: 5, reducer: joined }), shown)
      .subscribe((result) => results.push(result));
    expect(results).toEqual(['-10--5 a', '-5-0 bc']);
  });

  it('puts elements aside as full when there is no room for their key or pane', () => {
    const asides = new Asides();
    const results: unknown[] = [];
    const config = { sizeMs: 5, reducer: joined, keyOf: laneOf, maxKeys: 2, maxPanes: 2, onAside: asides.take };
    const behind = (text: string): Watermarked<string> =>
      inTime(text, timeOf(text), { laneWatermarkMs: 0, watermarkMs: 0 });
    from(['a1', 'b1', 'c1', 'a2', 'c6', 'a11', 'c3'].map(behind))
      .pipe(tumblingWindow(config), shown)
      .subscribe((result) => results.push(result));
    expect(asides.seen).toEqual(['full c1', 'full a11', 'full c3']);
    expect(results).toEqual(['a0-5 a1a2', 'b0-5 b1', 'c5-10 c6']);
  });

  it('refuses a size that is none, and a state of other windows', () => {
    const errors: unknown[] = [];
    const kept = new KeptState<PanesState<string, string>>();
    const run = (sizeMs: number, state?: KeptState<PanesState<string, string>>): void =>
      void from([inTime('a', 1)])
        .pipe(tumblingWindow({ sizeMs, reducer: joined, state }))
        .subscribe({ error: (error: unknown) => errors.push(error) });
    run(5, kept);
    expect(errors).toEqual([]);
    for (const sizeMs of [0, -1, 1.5, NaN]) run(sizeMs);
    run(6, new KeptState(kept.capture()));
    expect(errors).toMatchObject([
      ...Array.from({ length: 4 }, () => ({ code: 'MILLRACE_E_CONFIG_INVALID' })),
      { code: 'MILLRACE_E_STATE_UNFIT' },
    ]);
  });

  it('knows its types in a pipe', () => {
    interface Request {
      readonly timeMs: number;
      readonly host: string;
      readonly bytes: number;
    }
    const source = from<Request[]>([]);
    const counts = source.pipe(
      withWatermark({ timeOf: (request) => request.timeMs }),
      tumblingWindow({ sizeMs: 5, keyOf: (request) => request.host, reducer: countOf() }),
    );
    expectTypeOf(counts).toEqualTypeOf(from<WindowResult<string, number>[]>([]));
    const sums = source.pipe(
      withWatermark({ timeOf: ({ timeMs }) => timeMs }),
      tumblingWindow({ sizeMs: 5, keyOf: ({ bytes }) => bytes, reducer: sumOf(({ bytes }) => bytes) }),
    );
    expectTypeOf(sums).toEqualTypeOf(from<WindowResult<number, number>[]>([]));
    const whole = source.pipe(
      withWatermark({ timeOf: ({ timeMs }) => timeMs }),
      tumblingWindow({ sizeMs: 5, reducer: sumOf(({ bytes }) => bytes) }),
    );
    expectTypeOf(whole).toEqualTypeOf(from<WindowResult<string, number>[]>([]));
  });

  operatorCases<Watermarked<number>, WindowResult<string, number>, PanesState<number, string>>({
    operator: (state) => tumblingWindow({ sizeMs: 1, reducer: countOf<number>(), state }),
    element: (n) => inTime(n, n),
    firstWith: 2,
    throwing: (error) =>
      tumblingWindow({
        sizeMs: 1,
        reducer: countOf<number>(),
        keyOf: () => {
          throw error;
        },
      }),
  });
});
