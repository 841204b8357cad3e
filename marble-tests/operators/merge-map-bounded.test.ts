import { map, NEVER, of, range, Subject, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import type { Overflow } from '../../src/operators/bounded-queue.js';
import { mergeMapBounded } from '../../src/operators/merge-map-bounded.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const one = { concurrency: 1 };

describe('mergeMapBounded', () => {
  packStandingCases(<T>() => mergeMapBounded((value: T) => of(value), one));
  throwIsAnErrorNotification({
    project: (throwing) => mergeMapBounded(throwing, one),
    onDrop: (onDrop) => mergeMapBounded(() => NEVER, { ...one, maxQueue: 0, overflow: 'dropNewest', onDrop }),
  });

  it(
    'never runs more than it may; the next one starts in the frame in which one ends',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abc-d------|     ');
      const inner = cold('   ---r|            ');
      const subs = [
        '                    ^---!            ',
        '                    -^---!           ',
        '                    ----^---!        ',
        '                    -----^---!       ',
      ];
      const expected = '     ---rr--rr--|     ';
      expectObservable(source.pipe(mergeMapBounded(() => inner, { concurrency: 2 }))).toBe(expected);
      expectSubscriptions(inner.subscriptions).toBe(subs);
    }),
  );

  const policies: readonly (readonly [Overflow, string, string])[] = [
    //             a runs, b waits, c and d are too many
    ['dropOldest', '---a---d|', '--bc'],
    ['dropNewest', '---a---b|', '--cd'],
  ];
  it.each(policies)('a full queue with %s', (overflow, expected, dropped) =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('  abcd|');
      const drops = new Subject<string>();
      const result = source.pipe(
        mergeMapBounded((value) => cold('---r|').pipe(map(() => value)), {
          ...one,
          maxQueue: 1,
          overflow,
          onDrop: (value) => drops.next(value),
        }),
      );
      expectObservable(drops).toBe(dropped);
      expectObservable(result).toBe(expected);
    })(),
  );

  it(
    'a full queue is an error when nothing may be dropped',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abc--|');
      const inner = cold('   -----|');
      const expected = '     --#   ';
      const overflow = new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', '1 are waiting');
      expectObservable(source.pipe(mergeMapBounded(() => inner, { ...one, maxQueue: 1 }))).toBe(
        expected,
        undefined,
        overflow,
      );
      expectSubscriptions(source.subscriptions).toBe('^-!');
      expectSubscriptions(inner.subscriptions).toBe('^-!');
    }),
  );

  it(
    'an inner error cancels what runs and drops what waits',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abc------|');
      const bad = cold('     --#       ');
      const slow = cold('     -----r|  ');
      const expected = '     --#       ';
      const project = (value: string) => (value === 'a' ? bad : slow);
      expectObservable(source.pipe(mergeMapBounded(project, { concurrency: 2 }))).toBe(expected);
      expectSubscriptions(slow.subscriptions).toBe('-^!');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }),
  );

  it(
    'unsubscribing cancels what runs and never starts what waits',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  ab-------|');
      const inner = cold('   -----r|   ');
      const unsub = '        ---!      ';
      expectObservable(source.pipe(mergeMapBounded(() => inner, one)), unsub).toBe('-');
      expectSubscriptions(inner.subscriptions).toBe('^--!');
    }),
  );

  it('a hundred thousand waiting values that end at once do not deepen the stack', () => {
    const gate = new Subject<number>();
    let count = 0;
    let error: unknown;
    range(0, 1e5)
      .pipe(mergeMapBounded((n) => (n === 0 ? gate : of(n)), { ...one, maxQueue: 1e5 }))
      .subscribe({ next: () => count++, error: (each: unknown) => (error = each) });
    expect(count).toBe(0);
    gate.complete();
    expect(error).toBeUndefined();
    expect(count).toBe(1e5 - 1);
  });

  it('an option that would hang or grow is refused when it is written', () => {
    expect(() => mergeMapBounded(() => timer(1), { concurrency: 0 })).toThrow('concurrency is 0');
    expect(() => mergeMapBounded(() => timer(1), { concurrency: Number.NaN })).toThrow('concurrency is NaN');
  });
});
