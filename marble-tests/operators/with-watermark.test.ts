import { defer, map, merge, NEVER, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LaneSignal, WatermarkState } from '../../src/operators/watermark.js';
import type { Watermarked } from '../../src/operators/watermarked.js';
import { withWatermark } from '../../src/operators/with-watermark.js';
import { Asides } from '../fakes/in-time.js';
import { marbles } from '../marbles.js';
import { operatorCases } from './operator-cases.js';

const timeOf = (text: string): number => Number(text.replace(/\D/g, ''));
const laneOf = (text: string): string => text.replace(/\d/g, '');

/** The watermark, after the element that brought it. */
const shown = map((item: Watermarked<string>) =>
  item.kind === 'element' ? `${item.value} ${item.watermarkMs}` : `${item.watermarkMs}`,
);
const letters = { a: 'a1', b: 'b3', c: 'a6', d: 'b7', e: 'a9', f: 'b12' };
const signal = (is: LaneSignal['is'], lane = 'b'): LaneSignal => ({ lane, is });
const signals = { o: signal('open'), h: signal('held'), r: signal('released'), x: signal('ended') };

describe('withWatermark', () => {
  it(
    'the watermark is the newest time less the disorder, and never goes back',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -4-6-5-9-|');
      const subs = '         ^--------!';
      const expected = '     -w-x-y-z-|';
      const result = source.pipe(withWatermark({ timeOf, maxDisorderMs: 2 }), shown);
      expectObservable(result).toBe(expected, { w: '4 2', x: '6 4', y: '5 4', z: '9 7' });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'of several lanes it is the least, and each element knows how far its own lane is',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-c-d-|', letters);
      const expected = '     -w-x-y-z-|';
      const result = source.pipe(withWatermark({ timeOf, laneOf }));
      const lanes = map((item: Watermarked<string>) => (item.kind === 'element' ? item.laneWatermarkMs : NaN));
      expectObservable(result.pipe(shown)).toBe(expected, { w: 'a1 1', x: 'b3 1', y: 'a6 3', z: 'b7 6' });
      expectObservable(result.pipe(lanes)).toBe(expected, { w: 1, x: 3, y: 6, z: 7 });
    }),
  );

  it(
    'a lane that is silent for idleMs is not waited for, until it speaks again',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  ab--c-----e---f---|', { ...letters, f: 'b8' });
      const idleMs = time('   -----|            ');
      const expected = '     wx--y-z---u---v---|';
      const result = source.pipe(withWatermark({ timeOf, laneOf, idleMs }), shown);
      // At 6 b is left out: a alone counts. At 9 a is left out, too, and stays the one furthest ahead.
      const values = { w: 'a1 1', x: 'b3 1', y: 'a6 3', z: '6', u: 'a9 9', v: 'b8 9' };
      expectObservable(result).toBe(expected, values);
    }),
  );

  it(
    'when all are idle the one furthest ahead counts, whoever fell silent first',
    marbles(({ cold, time, expectObservable }) => {
      const one = cold('     ab--------', { a: 'a1', b: 'b9' });
      const other = cold('   ba--------', { a: 'a1', b: 'b9' });
      const idleMs = time('   ---|      ');
      const first = '        wx-z------';
      const second = '       yv--------';
      const operator = withWatermark<string>({ timeOf, laneOf, idleMs });
      expectObservable(one.pipe(operator, shown)).toBe(first, { w: 'a1 1', x: 'b9 1', z: '9' });
      expectObservable(other.pipe(operator, shown)).toBe(second, { y: 'b9 9', v: 'a1 9' });
    }),
  );

  it(
    'a lane that is held back by demand is not idle; it may be once it is released',
    marbles(({ cold, hot, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  ab--c-----e---------------|', letters);
      const told = hot('     ^-h----------r------------ ', signals);
      const subs = '         ^-------------------------!';
      const idleMs = time('   -----|                    ');
      const expected = '     wx--y-----u-------z-------|';
      const result = source.pipe(withWatermark({ timeOf, laneOf, idleMs, signals: told }), shown);
      expectObservable(result).toBe(expected, { w: 'a1 1', x: 'b3 1', y: 'a6 3', u: 'a9 3', z: '9' });
      expectSubscriptions(told.subscriptions).toBe(subs);
    }),
  );

  it(
    'a lane that is open is waited for before its first element, one that has ended is not',
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('  -a-b-c-e----|', letters);
      const told = hot('     o--------x--|', signals);
      const expected = '     -w-x-y-u-z--|';
      const result = source.pipe(withWatermark({ timeOf, laneOf, signals: told }), shown);
      const values = { w: 'a1 -Infinity', x: 'b3 1', y: 'a6 3', u: 'a9 3', z: '9' };
      expectObservable(result).toBe(expected, values);
    }),
  );

  it(
    'the last lane that ends leaves the watermark at the furthest',
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('  -a-b--------|', letters);
      const told = hot('     -----x-e----|', { x: signal('ended', 'b'), e: signal('ended', 'a') });
      const expected = '     -w-x---z----|';
      const result = source.pipe(withWatermark({ timeOf, laneOf, signals: told }), shown);
      expectObservable(result).toBe(expected, { w: 'a1 1', x: 'b3 1', z: '3' });
    }),
  );

  it(
    'a quiet stream follows the clock, followClockAfterMs behind, so that its last windows close',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  -4-9---------------9-----|');
      const followClockAfterMs = time('-----|');
      const expected = '     -x-y---------v----w9-----|';
      const result = source.pipe(withWatermark({ timeOf, maxDisorderMs: 2, followClockAfterMs }), shown);
      // At 8 it is at 7 still, then it moves with the clock, in ticks.
      expectObservable(result).toBe(expected, { x: '4 2', y: '9 7', v: '12', w: '17', 9: '9 17' });
    }),
  );

  it(
    'nothing follows the clock while a lane is held',
    marbles(({ cold, hot, time, expectObservable }) => {
      const source = cold('  -b----------------|', letters);
      const told = hot('     --h------------   ', signals);
      const followClockAfterMs = time('---|');
      const expected = '     -x----------------|';
      const config = { timeOf, laneOf, followClockAfterMs, signals: told };
      expectObservable(source.pipe(withWatermark(config), shown)).toBe(expected, { x: 'b3 3' });
    }),
  );

  it(
    'puts aside what has no time, and what is too far ahead of the clock',
    marbles(({ cold, expectObservable, flush }) => {
      const source = cold('  -a-b-c-d-|', { a: 'x1', b: 'x', c: 'x50', d: 'x8' });
      const expected = '     -w-----z-|';
      const asides = new Asides();
      const undated = (text: string): number => (text === 'x' ? NaN : timeOf(text));
      const config = { timeOf: undated, maxAheadMs: 10, onAside: asides.take };
      expectObservable(source.pipe(withWatermark(config), shown)).toBe(expected, { w: 'x1 1', z: 'x8 8' });
      flush();
      expect(asides.seen).toEqual(['undated x', 'ahead x50']);
    }),
  );

  it(
    'of more than maxLanes the one that spoke longest ago is forgotten',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-c-d-|', { a: 'a1', b: 'b3', c: 'c6', d: 'b7' });
      const expected = '     -w-x-y-z-|';
      const result = source.pipe(withWatermark({ timeOf, laneOf, maxLanes: 2 }), shown);
      expectObservable(result).toBe(expected, { w: 'a1 1', x: 'b3 1', y: 'c6 3', z: 'b7 6' });
    }),
  );

  it(
    'an error of the signals is passed on; on unsubscribe signals and timer are left',
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a--------', letters);
      const failing = hot('  ---#      ');
      const told = hot('     ----------');
      const subs = '         ^----!    ';
      const unsub = '        -----!    ';
      const run = (said: Observable<LaneSignal>): Observable<string> =>
        source.pipe(withWatermark({ timeOf, laneOf, idleMs: 2, signals: said }), shown);
      expectObservable(run(failing.pipe(map(() => signal('open'))))).toBe('-w-#', { w: 'a1 1' });
      expectObservable(run(merge(told, NEVER).pipe(map(() => signal('open')))), unsub).toBe('-w----', { w: 'a1 1' });
      expectSubscriptions(told.subscriptions).toBe(subs);
    }),
  );

  it('signals that fail at once leave the source alone', () => {
    let isSubscribed = false;
    const source = defer(() => {
      isSubscribed = true;
      return of('a1');
    });
    const errors: unknown[] = [];
    source
      .pipe(withWatermark({ timeOf, signals: throwError(() => 'boom') }))
      .subscribe({ error: (error: unknown) => errors.push(error) });
    expect([errors, isSubscribed]).toEqual([['boom'], false]);
  });

  operatorCases<number, Watermarked<number>, WatermarkState>({
    operator: (state) => withWatermark({ timeOf: (n: number) => n, laneOf: (n) => `lane ${n % 3}`, state }),
    element: (n) => n,
    firstWith: 1,
    throwing: (error) =>
      withWatermark({
        timeOf: () => {
          throw error;
        },
      }),
  });
});
