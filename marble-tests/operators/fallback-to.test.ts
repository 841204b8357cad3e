import { concat, EMPTY, Observable, of, onErrorResumeNext, range, Subject, take, tap, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fallbackTo } from '../../src/operators/fallback-to.js';
import { marbles } from '../marbles.js';

describe('fallbackTo', () => {
  it(
    'goes on with the fallback when the source errors; what came before stays',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const primary = cold('    -a-b-#        ');
      const primarySubs = '     ^----!        ';
      const secondary = cold('       --c-d|   ');
      const secondarySubs = '   -----^----!   ';
      const expected = '        -a-b---c-d|   ';
      expectObservable(primary.pipe(fallbackTo(() => secondary))).toBe(expected);
      expectSubscriptions(primary.subscriptions).toBe(primarySubs);
      expectSubscriptions(secondary.subscriptions).toBe(secondarySubs);
    }),
  );

  it(
    'a source that succeeds never reaches the fallback; with onErrorResumeNext it always does',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const primary = cold('    -a-b-|        ');
      const secondary = cold('       --c-d|   ');
      const falling = '         -a-b-|        ';
      const resuming = '        -a-b---c-d|   ';
      const resumed = '         -----^----!   ';
      expectObservable(primary.pipe(fallbackTo(() => secondary))).toBe(falling);
      expectObservable(onErrorResumeNext(primary, secondary)).toBe(resuming);
      expectSubscriptions(secondary.subscriptions).toBe(resumed);
    }),
  );

  it(
    'an error of the fallback is passed on; onErrorResumeNext swallows it',
    marbles(({ cold, expectObservable }) => {
      const primary = cold('    -a-#          ');
      const secondary = cold('     -b-#       ');
      const falling = '         -a--b-#       ';
      const resuming = '        -a--b-|       ';
      expectObservable(primary.pipe(fallbackTo(() => secondary))).toBe(falling);
      expectObservable(onErrorResumeNext(primary, secondary)).toBe(resuming);
    }),
  );

  it(
    'only for the errors that it is meant for',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const busy = cold('       -a-#      ', undefined, 'busy');
      const fatal = cold('      -a-#      ', undefined, 'fatal');
      const secondary = cold('     -b|    ');
      const when = (error: unknown): boolean => error === 'busy';
      expectObservable(busy.pipe(fallbackTo(() => secondary, { when }))).toBe('   -a--b|');
      expectObservable(fatal.pipe(fallbackTo(() => secondary, { when }))).toBe('  -a-#  ', undefined, 'fatal');
      expectSubscriptions(secondary.subscriptions).toBe('                         ---^-!');
    }),
  );

  it('hears which error it was', () => {
    const seen: unknown[] = [];
    throwError(() => 'boom')
      .pipe(fallbackTo((error) => of(error)))
      .subscribe((value) => seen.push(value));
    expect(seen).toEqual(['boom']);
  });

  it(
    'empty, never and a source that fails at once',
    marbles(({ cold, expectObservable }) => {
      const secondary = cold('  b|');
      expectObservable(cold('   --|').pipe(fallbackTo(() => secondary))).toBe('--|');
      expectObservable(cold('   -').pipe(fallbackTo(() => secondary))).toBe('-');
      expectObservable(cold('   #').pipe(fallbackTo(() => secondary))).toBe('b|');
      expectObservable(cold('   #').pipe(fallbackTo(() => EMPTY))).toBe('|');
    }),
  );

  it(
    'unsubscribing ends whichever of the two is running',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const primary = cold('    -a-#          ');
      const secondary = cold('     -b-c-d     ');
      const unsub = '           -------!      ';
      const secondarySubs = '   ---^---!      ';
      const early = '           --!           ';
      expectObservable(primary.pipe(fallbackTo(() => secondary)), unsub).toBe('-a--b-c');
      expectObservable(primary.pipe(fallbackTo(() => secondary)), early).toBe('-a');
      expectSubscriptions(primary.subscriptions).toBe(['^--!', '^-!']);
      expectSubscriptions(secondary.subscriptions).toBe(secondarySubs);
    }),
  );

  it.each(['fallback', 'when'] as const)('a throw in %s is an error notification', (callback) => {
    const throwing = (): never => {
      throw new Error('mine');
    };
    const operator = callback === 'when' ? fallbackTo(() => EMPTY, { when: throwing }) : fallbackTo(throwing);
    let caught: unknown;
    throwError(() => 'boom')
      .pipe(operator)
      .subscribe({ error: (error: unknown) => (caught = error) });
    expect(caught).toEqual(new Error('mine'));
  });

  it('a synchronous source or fallback stops when take(1) has its value', () => {
    let produced = 0;
    const endless = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(produced++);
    });
    endless
      .pipe(
        fallbackTo(() => EMPTY),
        take(1),
      )
      .subscribe();
    expect(produced).toBe(1);
    throwError(() => 'boom')
      .pipe(
        fallbackTo(() => endless),
        take(1),
      )
      .subscribe();
    expect(produced).toBe(2);
  });

  it(
    'two subscriptions share nothing',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const secondary = cold('  -b|');
      const result = cold('     -#').pipe(fallbackTo(() => secondary));
      expectObservable(result).toBe('       --b|');
      expectObservable(result, '--^').toBe('----b|');
      expectSubscriptions(secondary.subscriptions).toBe(['-^-!', '---^-!']);
    }),
  );

  it('a value that is pushed inside `next` comes after it', () => {
    const source = new Subject<number>();
    const got: number[] = [];
    source
      .pipe(
        fallbackTo(() => of(9)),
        tap((value) => got.push(value)),
      )
      .subscribe((value) => {
        if (value === 1) source.error('boom');
      });
    source.next(1);
    expect(got).toEqual([1, 9]);
  });

  it('takes a million synchronous values before and after the error', () => {
    let count = 0;
    concat(
      range(0, 1e6),
      throwError(() => 'boom'),
    )
      .pipe(fallbackTo(() => range(0, 1e6)))
      .subscribe(() => count++);
    expect(count).toBe(2e6);
  });
});
