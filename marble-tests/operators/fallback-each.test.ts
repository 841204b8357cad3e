import { of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fallbackEach } from '../../src/operators/fallback-each.js';
import { fallbackTo } from '../../src/operators/fallback-to.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const one = { concurrency: 1 };
const failing = throwError(() => 'boom');

describe('fallbackEach', () => {
  packStandingCases(<T>() =>
    fallbackEach(
      (value: T) => of(value),
      (_, value) => of(value),
      one,
    ),
  );
  throwIsAnErrorNotification({
    fallback: (throwing) => fallbackEach(() => failing, throwing, one),
    when: (when) =>
      fallbackEach(
        () => failing,
        () => of('x'),
        { ...one, when },
      ),
  });

  it(
    'the fallback is for the value whose call failed; the next one is tried as before',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('     a---b---c---|');
      const good = cold('       -r|          ');
      const bad = cold('            -r#      ');
      const second = cold('           -s|    ');
      const expected = '        -r---r-s-r--|';
      const through = (value: string) => (value === 'b' ? bad : good);
      expectObservable(source.pipe(fallbackEach(through, () => second, one))).toBe(expected);
      expectSubscriptions(second.subscriptions).toBe('------^-!');
    }),
  );

  it(
    'beside it: fallbackTo is for the stream, and never comes back',
    marbles(({ cold, expectObservable }) => {
      const source = cold('   a-b-#      ');
      const second = cold('       -s|    ');
      const expected = '      a-b--s|    ';
      expectObservable(source.pipe(fallbackTo(() => second))).toBe(expected);
    }),
  );

  it('a throw in project is a failed call; the fallback hears the error and the value', () => {
    const got: unknown[] = [];
    const project = (value: string) => {
      if (value === 'b') throw new Error('mine');
      return of(value);
    };
    of('a', 'b', 'c')
      .pipe(fallbackEach(project, (error, value) => of([value, error]), one))
      .subscribe((value) => got.push(value));
    expect(got).toEqual(['a', ['b', new Error('mine')], 'c']);
  });

  it(
    'an error that is not meant for it, and one of the fallback, end the stream',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a--b|');
      const when = (error: unknown): boolean => error !== 'boom';
      expectObservable(
        source.pipe(
          fallbackEach(
            () => failing,
            () => of('x'),
            { ...one, when },
          ),
        ),
      ).toBe('#', undefined, 'boom');
      expectObservable(
        source.pipe(
          fallbackEach(
            () => failing,
            () => cold('-#'),
            one,
          ),
        ),
      ).toBe('-#');
      expectSubscriptions(source.subscriptions).toBe(['(^!)', '^!']);
    }),
  );
});
