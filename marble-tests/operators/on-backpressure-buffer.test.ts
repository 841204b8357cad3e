import { concat, NEVER, of, range, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { onBackpressureBuffer } from '../../src/operators/on-backpressure-buffer.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const digits = { 1: 1, 2: 2, 3: 3, 9: 9 };

// What it has in common with the other forms of demand is in with-demand.test.ts.
/** No limit, and the demand does not end. */
const unlimited = concat(of(Infinity), NEVER);

describe('onBackpressureBuffer', () => {
  packStandingCases(() => onBackpressureBuffer(unlimited, { max: 1 }));

  throwIsAnErrorNotification({
    onDrop: (onDrop) => onBackpressureBuffer(NEVER, { max: 1, overflow: 'dropOldest', onDrop }),
  });

  it(
    'what nobody asked for waits, and comes out in order when somebody does',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abc------d-|');
      const demand = cold('  ----2---9---', digits);
      const expected = '     ----(ab)cd-|';
      expectObservable(source.pipe(onBackpressureBuffer(demand, { max: 3 }))).toBe(expected);
    }),
  );

  it(
    'overflow: dropOldest keeps the newest, dropNewest keeps the oldest, error ends it',
    marbles(({ cold, expectObservable }) => {
      const source = (): ReturnType<typeof cold> => cold('abcd------|');
      const demand = (): ReturnType<typeof cold<number>> => cold('-----9-----', digits);
      const through = (overflow: 'dropOldest' | 'dropNewest' | 'error') =>
        source().pipe(onBackpressureBuffer(demand(), { max: 2, overflow }));
      expectObservable(through('dropOldest')).toBe('-----(cd)-|');
      expectObservable(through('dropNewest')).toBe('-----(ab)-|');
      const overflow = new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', '2 are waiting');
      expectObservable(through('error')).toBe('--#', undefined, overflow);
    }),
  );

  it(
    'completion and errors come in their place, after what waits',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const completing = cold('ab|        ');
      const failing = cold('   ab#        ');
      const demand = cold('    ----1---1--', digits);
      expectObservable(completing.pipe(onBackpressureBuffer(demand, { max: 2 }))).toBe('----a---(b|)');
      expectObservable(failing.pipe(onBackpressureBuffer(demand, { max: 2 }))).toBe('   ----a---(b#)');
      expectSubscriptions(completing.subscriptions).toBe('^-!');
    }),
  );

  it('hears of what is dropped; what waits when the consumer leaves is gone', () => {
    const credit = new Subject<number>();
    const drops: number[] = [];
    const got: number[] = [];
    const config = { max: 2, overflow: 'dropOldest', onDrop: (n: number) => drops.push(n) } as const;
    const subscription = concat(range(1, 4), NEVER)
      .pipe(onBackpressureBuffer(credit, config))
      .subscribe((n) => {
        got.push(n);
        if (n === 3) subscription.unsubscribe();
      });
    credit.next(9);
    expect(drops).toEqual([1, 2]);
    expect(got).toEqual([3]);
    expect(credit.observed).toBe(false);
  });

  it('a hundred thousand that wait come out in one go, also when each asks for the next', () => {
    const credit = new Subject<number>();
    let count = 0;
    range(0, 1e5)
      .pipe(onBackpressureBuffer(credit, { max: 1e5 }))
      .subscribe(() => {
        count++;
        credit.next(1);
      });
    credit.next(1);
    expect(count).toBe(1e5);
  });

  it('a queue without a size is refused when it is written', () => {
    expect(() => onBackpressureBuffer(NEVER, { max: Number.NaN })).toThrow('maxQueue is NaN');
  });
});
