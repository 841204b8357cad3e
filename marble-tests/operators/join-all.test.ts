import { EMPTY, firstValueFrom, NEVER, Observable, of, range, Subject, take, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { joinAll } from '../../src/operators/join-all.js';
import { marbles } from '../marbles.js';

describe('joinAll', () => {
  it(
    'waits for all, and emits their last values in the order of the list',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const a = cold('       -1--2|    ');
      const b = cold('       -------x| ');
      const c = cold('       |         ');
      const expected = '     --------(r|)';
      expectObservable(joinAll([a, b, c])).toBe(expected, { r: ['2', 'x', undefined] });
      expectSubscriptions(a.subscriptions).toBe('^----!   ');
      expectSubscriptions(b.subscriptions).toBe('^-------!');
    }),
  );

  it(
    'the first error cancels the others',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const a = cold('       -1------|');
      const b = cold('       --#      ');
      const expected = '     --#      ';
      expectObservable(joinAll([a, b])).toBe(expected);
      expectSubscriptions(a.subscriptions).toBe('^-!');
    }),
  );

  it(
    'with wait the others go on, and the first error comes when all have ended',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const a = cold('       ----|    ');
      const b = cold('       --#      ', undefined, 'first');
      const c = cold('       ---#     ', undefined, 'second');
      const expected = '     ----#    ';
      expectObservable(joinAll([a, b, c], { onError: 'wait' })).toBe(expected, undefined, 'first');
      expectSubscriptions(a.subscriptions).toBe('^---!');
    }),
  );

  it(
    'when the time is up it says which are missing, and cancels them',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const a = cold('         --|       ');
      const b = cold('         ----------');
      const maxMs = time('     -----|    ');
      const expected = '       -----#    ';
      const late = new MillraceError('MILLRACE_E_OPERATOR_TIMEOUT', '5 ms; missing: 1, 2');
      expectObservable(joinAll([a, b, NEVER], { maxMs })).toBe(expected, undefined, late);
      expectSubscriptions(b.subscriptions).toBe('^----!');
    }),
  );

  it(
    'nothing to wait for, nothing that ends, and a consumer that leaves',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const a = cold('-----');
      expectObservable(joinAll([])).toBe('(r|)', { r: [] });
      expectObservable(joinAll([EMPTY])).toBe('(r|)', { r: [undefined] });
      expectObservable(joinAll([NEVER])).toBe('-');
      expectObservable(joinAll([a]), '---!').toBe('-');
      expectSubscriptions(a.subscriptions).toBe('^--!');
    }),
  );

  it('does not subscribe what comes after a synchronous error, and takes promises', async () => {
    let lives = 0;
    const counting = new Observable<number>(() => {
      lives++;
    });
    joinAll([throwError(() => 'boom'), counting]).subscribe({ error: () => undefined });
    expect(lives).toBe(0);
    expect(await firstValueFrom(joinAll([Promise.resolve(1), of('a')]))).toEqual([1, 'a']);
  });

  it('each subscription is a new round; a million values of one source are one', () => {
    const source = new Subject<number>();
    const got: unknown[] = [];
    const all = joinAll([range(0, 1e6), source]);
    all.subscribe((values) => got.push(values));
    source.next(1);
    all.pipe(take(1)).subscribe((values) => got.push(values));
    source.next(2);
    source.complete();
    expect(got).toEqual([
      [999_999, 2],
      [999_999, 2],
    ]);
  });
});
