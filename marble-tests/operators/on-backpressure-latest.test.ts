import { concat, NEVER, of, range, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { onBackpressureLatest } from '../../src/operators/on-backpressure-latest.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

// What it has in common with the other forms of demand is in with-demand.test.ts.
/** No limit, and the demand does not end. */
const unlimited = concat(of(Infinity), NEVER);

describe('onBackpressureLatest', () => {
  packStandingCases(() => onBackpressureLatest(unlimited));

  throwIsAnErrorNotification({ onDrop: (onDrop) => onBackpressureLatest(NEVER, { onDrop }) });

  it(
    'the latest waits, the others are dropped and heard of',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abc----de---|');
      const demand = cold('  1---1-----2--', { 1: 1, 2: 2 });
      const expected = '     a---c-----e-|';
      const dropped = '      --b-----d----';
      const drops = new Subject<string>();
      expectObservable(drops).toBe(dropped);
      expectObservable(source.pipe(onBackpressureLatest(demand, { onDrop: (value) => drops.next(value) }))).toBe(
        expected,
      );
    }),
  );

  it(
    'completion and errors come after the value that waits',
    marbles(({ cold, expectObservable }) => {
      const demand = cold('                                   ----1', { 1: 1 });
      expectObservable(cold('ab|').pipe(onBackpressureLatest(demand))).toBe('----(b|)');
      expectObservable(cold('ab#').pipe(onBackpressureLatest(demand))).toBe('----(b#)');
      expectObservable(cold('--|').pipe(onBackpressureLatest(demand))).toBe('--|');
    }),
  );

  it('of a million synchronous values it is the last', () => {
    const credit = new Subject<number>();
    const got: number[] = [];
    range(0, 1e6)
      .pipe(onBackpressureLatest(credit))
      .subscribe((value) => got.push(value));
    credit.next(5);
    expect(got).toEqual([999_999]);
  });
});
