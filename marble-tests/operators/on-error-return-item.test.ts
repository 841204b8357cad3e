import { describe, it } from 'vitest';
import { onErrorReturnItem } from '../../src/operators/on-error-return-item.js';
import { marbles } from '../marbles.js';
import { mergeMap, of, range, Subject, take, throwError } from 'rxjs';
import { expect } from 'vitest';

describe('onErrorReturnItem', () => {
  it(
    'ends with the item instead of an error; not after a completion',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const failing = cold('  -a-b-#    ');
      const fine = cold('     -a-b-|    ');
      expectObservable(failing.pipe(onErrorReturnItem('x'))).toBe('-a-b-(x|)');
      expectObservable(fine.pipe(onErrorReturnItem('x'))).toBe('   -a-b-|');
      expectSubscriptions(failing.subscriptions).toBe('^----!');
    }),
  );

  it(
    'empty and never stay so; unsubscribing ends the source',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-#');
      expectObservable(cold('--|').pipe(onErrorReturnItem('x'))).toBe('--|');
      expectObservable(cold('-').pipe(onErrorReturnItem('x'))).toBe('-');
      expectObservable(source.pipe(onErrorReturnItem('x')), '--!').toBe('-a');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }),
  );

  it(
    'only for the errors that it is meant for',
    marbles(({ cold, expectObservable }) => {
      const when = (error: unknown): boolean => error === 'busy';
      expectObservable(cold('-#', undefined, 'busy').pipe(onErrorReturnItem('x', { when }))).toBe('-(x|)');
      expectObservable(cold('-#', undefined, 'fatal').pipe(onErrorReturnItem('x', { when }))).toBe(
        '-#',
        undefined,
        'fatal',
      );
    }),
  );

  it('a throw in when is an error notification', () => {
    const ends: unknown[] = [];
    const when = (): never => {
      throw new Error('mine');
    };
    throwError(() => 'boom')
      .pipe(onErrorReturnItem('x', { when }))
      .subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual([new Error('mine')]);
  });

  it('synchronous sources: take(1), a million values, one pushed inside next, two subscriptions', () => {
    let count = 0;
    const result = range(0, 1e6).pipe(
      mergeMap((n) => (n === 999_999 ? throwError(() => 'boom') : of(n))),
      onErrorReturnItem(-1),
    );
    result.subscribe(() => count++);
    expect(count).toBe(1e6);
    result.pipe(take(1)).subscribe(() => count++);
    expect(count).toBe(1e6 + 1);
    const source = new Subject<number>();
    const got: number[] = [];
    source.pipe(onErrorReturnItem(9)).subscribe((value) => {
      got.push(value);
      if (value === 1) source.error('boom');
    });
    source.next(1);
    expect(got).toEqual([1, 9]);
  });
});
