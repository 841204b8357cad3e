import { delay, ignoreElements, map, of, range, take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { route } from '../../src/operators/route.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const self = <T>(value: T): T => value;

describe('route', () => {
  packStandingCases(<T>() => route<T, T>([{ when: () => true, through: map((value: T) => value) }]));
  throwIsAnErrorNotification({
    'a condition': (when) => route([{ when, through: self }]),
    'a way': (throwing) => route([{ when: () => true, through: map(throwing) }]),
  });

  it(
    'each value goes the first way whose condition holds; the others pass on as they are',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-d-|   ');
      const subs = '         ^--------!   ';
      const expected = '     -A---bXd-|   ';
      const result = source.pipe(
        route([
          { when: (value) => value === 'a', through: map((value) => value.toUpperCase()) },
          { when: (value) => value === 'b', through: delay(2) },
          {
            when: (value) => value === 'c',
            through: (values) =>
              values.pipe(
                delay(1),
                map(() => 'X'),
              ),
          },
          { when: (value) => value === 'a', through: map(() => 'never') },
        ]),
      );
      expectObservable(result).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'completes when every way has; the error of one way is the end of all',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-b-|       ');
      const late = [{ when: (value: string) => value === 'b', through: delay<string>(5) }];
      const expected = '     a------(b|) ';
      expectObservable(source.pipe(route(late))).toBe(expected);
      const failing = [{ when: () => true, through: () => cold('-#') }];
      expectObservable(source.pipe(route(failing))).toBe('-#');
      expectSubscriptions(source.subscriptions).toBe(['^---!', '^!']);
    }),
  );

  it(
    'a way that drops, and one that completes early, do not stop the others',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abab-c|');
      const expected = '     -b---c|';
      const result = source.pipe(
        route([
          { when: (value) => value === 'a', through: ignoreElements() },
          { when: (value) => value === 'b', through: take(1) },
        ]),
      );
      expectObservable(result).toBe(expected);
    }),
  );

  it('without ways everything passes; the order of synchronous ways is that of the source', () => {
    const got: unknown[] = [];
    of(1, 2)
      .pipe(route([]))
      .subscribe((value) => got.push(value));
    range(3, 4)
      .pipe(route([{ when: (n) => n % 2 === 0, through: map((n) => `${n}`) }]))
      .subscribe((value) => got.push(value));
    expect(got).toEqual([1, 2, 3, '4', 5, '6']);
  });
});
