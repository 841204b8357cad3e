import { range, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { throttleByKey } from '../../src/operators/throttle-by-key.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const self = (value: string): string => value;

describe('throttleByKey', () => {
  packStandingCases(<T>() => throttleByKey({ key: (value: T) => value, perMs: 1000, max: 9, maxKeys: 10 }));
  throwIsAnErrorNotification({
    key: (key) => throttleByKey({ key, perMs: 5, maxKeys: 5 }),
    onDrop: (onDrop) => throttleByKey({ key: self, perMs: 5, maxKeys: 5, onDrop }),
  });

  it(
    'each key has windows of its own; the others are dropped and heard of',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  aaabb-a--ab|');
      const perMs = time('   -----|      ');
      const subs = '         ^----------!';
      const expected = '     aa-bb-a--ab|';
      const dropped = '      --a         ';
      const drops = new Subject<string>();
      const config = { key: self, perMs, max: 2, maxKeys: 9, onDrop: (value: string) => drops.next(value) };
      expectObservable(drops).toBe(dropped);
      expectObservable(source.pipe(throttleByKey(config))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'boundary: perMs after its first value a key has a new window',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a--a|').pipe(throttleByKey({ key: self, perMs: 3, maxKeys: 1 }))).toBe('a--a|');
      expectObservable(cold('a--a|').pipe(throttleByKey({ key: self, perMs: 4, maxKeys: 1 }))).toBe('a---|');
    }),
  );

  it(
    'with too few keys the oldest window is forgotten, and its key begins anew',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('abab|').pipe(throttleByKey({ key: self, perMs: 99, maxKeys: 1 }))).toBe('abab|');
      expectObservable(cold('abab|').pipe(throttleByKey({ key: self, perMs: 99, maxKeys: 2 }))).toBe('ab--|');
    }),
  );

  it('of a million synchronous values with ten keys, twice ten pass', () => {
    let count = 0;
    range(0, 1e6)
      .pipe(throttleByKey({ key: (n) => n % 10, perMs: 60_000, max: 2, maxKeys: 10 }))
      .subscribe(() => count++);
    expect(count).toBe(20);
  });
});
