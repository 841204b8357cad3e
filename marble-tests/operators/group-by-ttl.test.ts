import { count, finalize, map, mergeMap, range, Subject, take, tap, toArray } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { groupByTtl } from '../../src/operators/group-by-ttl.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const self = <T>(value: T): T => value;

/** Groups as text when they end: what was collected. */
const ended: OperatorFunction<Observable<string>, string> = mergeMap((group) =>
  group.pipe(
    toArray(),
    map((values) => values.join('')),
  ),
);

describe('groupByTtl', () => {
  packStandingCases(
    <T>() =>
      (source: Observable<T>) =>
        source.pipe(
          groupByTtl(() => 'one', { maxKeys: 2, idleMs: 1e6 }),
          mergeMap(self),
        ),
  );
  throwIsAnErrorNotification({ key: (throwing) => groupByTtl(throwing, { maxKeys: 2, idleMs: 5 }) });

  it(
    'a group ends after a silence; the same key then opens a new one',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  a-a-b-------a-|  ');
      const idleMs = time('  ----|            ');
      const expected = '     ------x-y-----(z|)';
      const result = source.pipe(groupByTtl(self, { maxKeys: 9, idleMs }), ended);
      expectObservable(result).toBe(expected, { x: 'aa', y: 'b', z: 'a' });
    }),
  );

  it(
    'too many keys: the group that was silent longest ends, not the oldest',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abac-b---|    ');
      // c ends b, because a was there after it; then b is new and ends a.
      const expected = '     ---x-y---(zu|)';
      const result = source.pipe(groupByTtl(self, { maxKeys: 2, idleMs: 1000 }), ended);
      expectObservable(result).toBe(expected, { x: 'b', y: 'aa', z: 'c', u: 'b' });
    }),
  );

  it(
    'an error reaches the groups, too',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  a-#');
      const result = source.pipe(
        groupByTtl(self, { maxKeys: 2, idleMs: 9 }),
        mergeMap((group) => group),
      );
      expectObservable(result).toBe('a-#');
    }),
  );

  it(
    'a group that somebody still listens to goes on when nobody wants new ones',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  ab-a-------');
      const idleMs = time('  ---|       ');
      const expected = '     a--a--|    ';
      const subs = '         ^-----!    ';
      const result = source.pipe(groupByTtl(self, { maxKeys: 9, idleMs }), take(1), mergeMap(self));
      expectObservable(result).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it('a key that is pushed while its group ends opens a new group', () => {
    const source = new Subject<string>();
    const opened: string[] = [];
    const pushC = (): void => {
      if (opened.length === 1) source.next('c');
    };
    source
      .pipe(
        groupByTtl(self, { maxKeys: 1, idleMs: 1e6 }),
        tap((group) => opened.push(group.key)),
        mergeMap((group) => group.pipe(finalize(pushC))),
      )
      .subscribe();
    source.next('a');
    source.next('b');
    expect(opened[0]).toBe('a');
    expect(opened).toContain('b');
    expect(opened).toContain('c');
  });

  it('never has more groups open than it may, whatever comes', () => {
    let open = 0;
    let most = 0;
    range(0, 1e5)
      .pipe(
        groupByTtl((n) => n % 1000, { maxKeys: 10, idleMs: 1e6 }),
        mergeMap((group) => {
          most = Math.max(most, ++open);
          return group.pipe(count());
        }),
      )
      .subscribe(() => open--);
    expect(most).toBe(10);
    expect(open).toBe(0);
  });

  it('refuses what makes no sense', () => {
    expect(() => groupByTtl(self, { maxKeys: 0, idleMs: 1 })).toThrow('maxKeys is 0');
  });
});
