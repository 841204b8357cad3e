import { range, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { distinctWithin } from '../../src/operators/distinct-within.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

describe('distinctWithin', () => {
  packStandingCases(() => distinctWithin({ ttlMs: 1000, maxKeys: 10 }));
  throwIsAnErrorNotification({
    key: (key) => distinctWithin({ key, ttlMs: 5, maxKeys: 5 }),
    onDrop: (onDrop) => distinctWithin({ ttlMs: 5, maxKeys: 5, onDrop }),
  });

  it(
    'drops repetitions for so long since the one that passed: they do not make it longer',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-a-b-a-b-a-|');
      const ttlMs = time('   ------|      ');
      const subs = '         ^-----------!';
      const expected = '     a---b-a-----|';
      const dropped = '      --a-----b-a  ';
      const drops = new Subject<string>();
      expectObservable(drops).toBe(dropped);
      const onDrop = (value: string): void => drops.next(value);
      expectObservable(source.pipe(distinctWithin({ ttlMs, maxKeys: 10, onDrop }))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'boundary: at the end of its time a key passes again',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a--a|').pipe(distinctWithin({ ttlMs: 3, maxKeys: 1 }))).toBe('a--a|');
      expectObservable(cold('a--a|').pipe(distinctWithin({ ttlMs: 4, maxKeys: 1 }))).toBe('a---|');
    }),
  );

  it(
    'with too few keys the oldest is forgotten and passes again',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abca-|');
      const expected = '     abca-|';
      const enough = '       abc--|';
      expectObservable(source.pipe(distinctWithin({ ttlMs: 99, maxKeys: 2 }))).toBe(expected);
      expectObservable(source.pipe(distinctWithin({ ttlMs: 99, maxKeys: 3 }))).toBe(enough);
    }),
  );

  it('compares by key; of a million synchronous values with ten keys, ten pass', () => {
    const got: number[] = [];
    range(0, 1e6)
      .pipe(distinctWithin({ key: (n) => n % 10, ttlMs: 60_000, maxKeys: 10 }))
      .subscribe((n) => got.push(n));
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('refuses what makes no sense', () => {
    expect(() => distinctWithin({ ttlMs: 1, maxKeys: 0 })).toThrow('maxKeys is 0');
  });
});
