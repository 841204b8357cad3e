import { from, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { KeptState } from '../../src/operators/kept-state.js';
import { countOf } from '../../src/operators/reducers.js';
import type { Reducer } from '../../src/operators/reducers.js';
import { sessionWindow } from '../../src/operators/session-window.js';
import type { SessionResult, SessionsState } from '../../src/operators/sessions.js';
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
const shown = map(({ key, startMs, endMs, value, revision, replaces }: SessionResult<string, unknown>) => {
  const instead = replaces.length > 0 ? ` instead of ${replaces.join()}` : '';
  return `${key}${startMs}-${endMs} ${String(value)}${'!'.repeat(revision)}${instead}`;
});
const timeOf = (text: string): number => Number(text.replace(/\D/g, ''));
const laneOf = (text: string): string => text.replace(/\d/g, '');
const inOrder = withWatermark({ timeOf });
const disordered = withWatermark({ timeOf, maxDisorderMs: 4 });

describe('sessionWindow', () => {
  it(
    'a session ends with a silence of gapMs; an element after exactly that begins the next one',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -0-2-4-7-|     ');
      const subs = '         ^--------!     ';
      const expected = '     -------x-(y|)  ';
      const result = source.pipe(inOrder, sessionWindow({ gapMs: 3, reducer: joined }), shown);
      expectObservable(result).toBe(expected, { x: '0-7 024', y: '7-10 7' });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'an element between two sessions makes them one',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -1-4-2-9-|   ');
      const expected = '     ---------(xy|)';
      const result = source.pipe(disordered, sessionWindow({ gapMs: 3, reducer: joined }), shown);
      expectObservable(result).toBe(expected, { x: '1-7 142', y: '9-12 9' });
    }),
  );

  it(
    'every key has its own sessions; those that end together come out by start, then by key',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-c-d-e-----|   ', { a: 'z1', b: 'y1', c: 'x0', d: 'x1', e: 'x9' });
      const expected = '     ---------(pqr)-(s|)';
      const window = sessionWindow({ gapMs: 3, keyOf: laneOf, reducer: joined });
      const values = { p: 'x0-4 x0x1', q: 'y1-4 y1', r: 'z1-4 z1', s: 'x9-12 x9' };
      expectObservable(source.pipe(disordered, window, shown)).toBe(expected, values);
    }),
  );

  it(
    'late is what is older than the watermark of its lane, even if its session is open',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  -5-9-8-4-|   ');
      const expected = '     ---------(x|)';
      const asides = new Asides();
      const window = sessionWindow({ gapMs: 5, reducer: joined, onAside: asides.take });
      const slack = withWatermark<string>({ timeOf, maxDisorderMs: 1 });
      expectObservable(source.pipe(slack, window, shown)).toBe(expected, { x: '5-14 598' });
      flush();
      expect(asides.seen).toEqual(['late 4']);
    }),
  );

  it(
    'within the allowed lateness sessions that came out grow together: a revision that says what it replaces',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  -1-9-5-3-7-0-|   ');
      const expected = '     ---x-y-z-----(w|)';
      const asides = new Asides();
      const window = sessionWindow({ gapMs: 3, reducer: joined, allowedLatenessMs: 8, onAside: asides.take });
      // 3 joins 1 and 5; 7 joins those with 9, so the session is open again and comes out at its new end.
      const values = { x: '1-4 1', y: '5-8 5', z: '1-8 153! instead of 5', w: '1-12 15397!!' };
      expectObservable(source.pipe(inOrder, window, shown)).toBe(expected, values);
      flush();
      expect(asides.seen).toEqual(['late 0']);
    }),
  );

  it('a session that came out and begins earlier now replaces itself; one that is open again comes out at its end', () => {
    const results: string[] = [];
    from(['5', '12', '3', '7', '13', '30'])
      .pipe(inOrder, sessionWindow({ gapMs: 3, reducer: joined, allowedLatenessMs: 9 }), shown)
      .subscribe((result) => results.push(result));
    expect(results).toEqual(['5-8 5', '3-8 53! instead of 5', '3-10 537!!', '12-16 1213', '30-33 30']);
  });

  it('a late element at the very beginning, or the very end, of a session that came out replaces nothing', () => {
    const results: string[] = [];
    from(['5', '6', '12', '5', '6', '30'])
      .pipe(inOrder, sessionWindow({ gapMs: 3, reducer: joined, allowedLatenessMs: 9 }), shown)
      .subscribe((result) => results.push(result));
    expect(results).toEqual(['5-9 56', '5-9 565!', '5-9 5656!!', '12-15 12', '30-33 30']);
  });

  it('a session that is open again comes out as soon as it ends, not when it can go', () => {
    const results: string[] = [];
    const at = (timeMs: number, watermarkMs: number): Watermarked<string> =>
      inTime(String(timeMs), timeMs, { laneWatermarkMs: watermarkMs, watermarkMs });
    from([at(1, 5), at(3, 5), at(20, 6), at(21, 7)])
      .pipe(sessionWindow({ gapMs: 3, reducer: joined, allowedLatenessMs: 50 }), shown)
      .subscribe((result) => results.push(result));
    expect(results.slice(0, 2)).toEqual(['1-4 1', '1-6 13!']);
    expect(results).toHaveLength(3);
  });

  it('a lane that comes back from being idle finds what is gone closed; beyond maxSessions it is full', () => {
    const asides = new Asides();
    const results: string[] = [];
    const back = { lane: 'b', laneWatermarkMs: 0, watermarkMs: 9 };
    from([inTime('a1', 1), inTime('c9', 9), inTime('b5', 5, back), inTime('d9', 9), inTime('c9', 9)])
      .pipe(sessionWindow({ gapMs: 3, reducer: joined, keyOf: laneOf, maxSessions: 1, onAside: asides.take }), shown)
      .subscribe((result) => results.push(result));
    // c9 came while a's session was still open: its own watermark closes it only afterwards.
    expect(asides.seen).toEqual(['full c9', 'closed bb5', 'full c9']);
    expect(results).toEqual(['a1-4 a1', 'd9-12 d9']);
  });

  it('refuses a gap that is none, and a state of other sessions', () => {
    const errors: unknown[] = [];
    const run = (gapMs: number, state?: KeptState<SessionsState<string, string>>): void =>
      void from([inTime('a', 1)])
        .pipe(sessionWindow({ gapMs, reducer: joined, state }))
        .subscribe({ error: (error: unknown) => errors.push(error) });
    const kept = new KeptState<SessionsState<string, string>>();
    run(3, kept);
    run(3, new KeptState(kept.capture()));
    expect(errors).toEqual([]);
    run(0);
    run(4, new KeptState(kept.capture()));
    expect(errors).toMatchObject([{ code: 'MILLRACE_E_CONFIG_INVALID' }, { code: 'MILLRACE_E_STATE_UNFIT' }]);
  });

  operatorCases<Watermarked<number>, SessionResult<string, number>, SessionsState<number, string>>({
    operator: (state) => sessionWindow({ gapMs: 5, reducer: countOf<number>(), state }),
    element: (n) => inTime(n, n * 10),
    firstWith: 2,
    throwing: (error) =>
      sessionWindow({
        gapMs: 5,
        reducer: countOf<number>(),
        keyOf: () => {
          throw error;
        },
      }),
  });
});
