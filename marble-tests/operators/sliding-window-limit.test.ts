import { range, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { slidingWindowLimit } from '../../src/operators/sliding-window-limit.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

describe.each(['delay', 'drop', 'error'] as const)('slidingWindowLimit, mode %s, within the limit', (mode) => {
  packStandingCases(() => slidingWindowLimit({ max: 1e6, perMs: 1, mode }));
});

describe('slidingWindowLimit', () => {
  throwIsAnErrorNotification({
    'onDrop (drop)': (onDrop) => slidingWindowLimit({ max: 1, perMs: 9, mode: 'drop', onDrop }),
    'onDrop (delay)': (onDrop) =>
      slidingWindowLimit({ max: 1, perMs: 9, mode: 'delay', maxQueue: 0, overflow: 'dropNewest', onDrop }),
  });

  it(
    'delay: what is too much waits until a span has room again',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  abcde-----------f|');
      const perMs = time('   -----|           ');
      const subs = '         ^----------------!';
      const expected = '     ab---cd---e-----f|';
      expectObservable(source.pipe(slidingWindowLimit({ max: 2, perMs, mode: 'delay' }))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'a span begins anywhere: around the edge of a fixed window it does not let twice as many through',
    marbles(({ cold, time, expectObservable }) => {
      // A fixed window of 5 would let both pairs through: 3, 4 and 5, 6 are in different windows.
      const source = cold('  ---abcd--------|');
      const perMs = time('   -----|         ');
      const delayed = '      ---ab---cd-----|';
      const dropped = '      ---ab----------|';
      expectObservable(source.pipe(slidingWindowLimit({ max: 2, perMs, mode: 'delay' }))).toBe(delayed);
      expectObservable(source.pipe(slidingWindowLimit({ max: 2, perMs, mode: 'drop' }))).toBe(dropped);
    }),
  );

  it(
    'boundary: perMs after the oldest one more may pass, not a millisecond earlier',
    marbles(({ cold, time, expectObservable }) => {
      const perMs = time('----|');
      expectObservable(cold('a--b|').pipe(slidingWindowLimit({ max: 1, perMs, mode: 'drop' }))).toBe('a---|');
      expectObservable(cold('a---b|').pipe(slidingWindowLimit({ max: 1, perMs, mode: 'drop' }))).toBe('a---b|');
    }),
  );

  it(
    'delay: completion and errors come in their place, after what waits',
    marbles(({ cold, time, expectObservable }) => {
      const perMs = time('   ---|     ');
      const completing = cold('abc|');
      const failing = cold('   abc#');
      expectObservable(completing.pipe(slidingWindowLimit({ max: 1, perMs, mode: 'delay' }))).toBe('a--b--(c|)');
      expectObservable(failing.pipe(slidingWindowLimit({ max: 1, perMs, mode: 'delay' }))).toBe('   a--b--(c#)');
    }),
  );

  it(
    'delay: unsubscribing cancels the timer',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  abc-----');
      const perMs = time('   ---|    ');
      const unsub = '        --!     ';
      expectObservable(source.pipe(slidingWindowLimit({ max: 1, perMs, mode: 'delay' })), unsub).toBe('a--');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }),
  );

  it(
    'delay: the queue has an end',
    marbles(({ cold, time, expectObservable }) => {
      const perMs = time('        ----|     ');
      const source = (): ReturnType<typeof cold> => cold('abcd------|');
      const mode = 'delay';
      const limits = { max: 1, perMs, maxQueue: 1, mode } as const;
      const overflow = new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', '1 are waiting');
      expectObservable(source().pipe(slidingWindowLimit(limits))).toBe('a-#', undefined, overflow);
      expectObservable(source().pipe(slidingWindowLimit({ ...limits, overflow: 'dropOldest' }))).toBe('a---d-----|');
      expectObservable(source().pipe(slidingWindowLimit({ ...limits, overflow: 'dropNewest' }))).toBe('a---b-----|');
    }),
  );

  it(
    'error: the first one too many is the end',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  ab-c--|');
      const expected = '     ab-#   ';
      const error = new MillraceError('MILLRACE_E_OPERATOR_RATE', '2 in 5 ms');
      expectObservable(source.pipe(slidingWindowLimit({ max: 2, perMs: 5, mode: 'error' }))).toBe(
        expected,
        undefined,
        error,
      );
      expectSubscriptions(source.subscriptions).toBe('^--!');
    }),
  );

  it('delay: a value that is pushed while one comes out stands behind those who wait', () => {
    const scheduler = new VirtualTimeScheduler();
    const source = new Subject<string>();
    const got: string[] = [];
    source.pipe(slidingWindowLimit({ max: 2, perMs: 5, mode: 'delay' }, scheduler)).subscribe((value) => {
      got.push(`${value}@${scheduler.now()}`);
      if (value === 'c') source.next('e');
    });
    for (const value of ['a', 'b', 'c', 'd']) source.next(value);
    scheduler.flush();
    expect(got).toEqual(['a@0', 'b@0', 'c@5', 'd@5', 'e@10']);
  });

  it('delay: a hundred thousand that wait come out without a deeper stack', () => {
    const scheduler = new VirtualTimeScheduler();
    let count = 0;
    range(0, 1e5)
      .pipe(slidingWindowLimit({ max: 2e4, perMs: 5, mode: 'delay', maxQueue: 1e5 }, scheduler))
      .subscribe(() => count++);
    scheduler.flush();
    expect(count).toBe(1e5);
  });
});
