import { concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { onBackpressureDrop } from '../../src/operators/on-backpressure-drop.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

// What it has in common with the other forms of demand is in with-demand.test.ts.
/** No limit, and the demand does not end. */
const unlimited = concat(of(Infinity), NEVER);

describe('onBackpressureDrop', () => {
  packStandingCases(() => onBackpressureDrop(unlimited));

  throwIsAnErrorNotification({ onDrop: (onDrop) => onBackpressureDrop(NEVER, { onDrop }) });

  it(
    'what nobody asked for is dropped, and heard of; credit is not lost while nothing comes',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  ab-c----def-|');
      const demand = cold('  1-----2------', { 1: 1, 2: 2 });
      const expected = '     a-------de--|';
      const dropped = '      -b-c------f  ';
      const drops = new Subject<string>();
      expectObservable(drops).toBe(dropped);
      expectObservable(source.pipe(onBackpressureDrop(demand, { onDrop: (value) => drops.next(value) }))).toBe(
        expected,
      );
    }),
  );

  it(
    'completion and errors need no credit',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a-|').pipe(onBackpressureDrop(NEVER))).toBe('--|');
      expectObservable(cold('a-#').pipe(onBackpressureDrop(NEVER))).toBe('--#');
    }),
  );

  it('a value that is pushed while one is handed over is dropped without credit', () => {
    const source = new Subject<number>();
    const credit = new Subject<number>();
    const got: number[] = [];
    source.pipe(onBackpressureDrop(credit)).subscribe((value) => {
      got.push(value);
      source.next(9);
    });
    credit.next(1);
    source.next(1);
    expect(got).toEqual([1]);
  });
});
