import { concat, EMPTY, map, NEVER, of, range, throwError, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { aimdLimit } from '../../src/operators/adaptive-limit.js';
import { semaphore } from '../../src/operators/semaphore.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

describe('semaphore', () => {
  packStandingCases(
    <T>() =>
      (source: Observable<T>) =>
        source.pipe(
          map((value: T) => of(value)),
          semaphore(1),
        ),
  );
  throwIsAnErrorNotification({
    'the rule of a limit': (next) => (source) =>
      source.pipe(
        map((value) => of(value)),
        semaphore({ initial: { limit: 1, baselineMs: 0 }, next }),
      ),
  });

  it(
    'the limit may rise and fall: one more starts at once, nothing that runs is cancelled',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abcde--------------|');
      const limit = cold('   1-3------1----------', { 1: 1, 3: 3 });
      const task = cold('    ------r|            ');
      const subs = [
        '                    ^------!            ',
        '                    --^------!          ',
        '                    --^------!          ',
        '                    -------^------!     ',
        // At 9 the limit falls to one while one runs, so the last starts when that has ended.
        '                    --------------^------!',
      ];
      const expected = '     ------r-(rr)-r------r|';
      const result = source.pipe(
        map(() => task),
        semaphore(limit),
      );
      expectObservable(result).toBe(expected);
      expectSubscriptions(task.subscriptions).toBe(subs);
    }),
  );

  it(
    'nothing runs before the limit is known, or at zero; the end of the limit changes nothing, its error is passed on',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-|');
      const task = cold('    --r|');
      const waiting = source.pipe(map(() => task));
      expectObservable(waiting.pipe(semaphore(cold('---1|', { 1: 1 })))).toBe('-----r|');
      expectObservable(waiting.pipe(semaphore(cold('0----', { 0: 0 }))), '--------!').toBe('-');
      expectObservable(waiting.pipe(semaphore(EMPTY)), '--------!').toBe('-');
      expectObservable(waiting.pipe(semaphore(cold('1-#', { 1: 1 })))).toBe('--#');
      expectSubscriptions(task.subscriptions).toBe(['^-!', '---^--!']);
    }),
  );

  it('a limit that is no number ends the stream, or is refused when it is written', () => {
    const ends: unknown[] = [];
    of(of(1))
      .pipe(semaphore(concat(of(1), of(-1), NEVER)))
      .subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual([new MillraceError('MILLRACE_E_OPERATOR_OPTION', 'permits is -1')]);
    expect(() => semaphore(Number.NaN)).toThrow('permits is NaN');
  });

  it(
    'a limit that is learnt: one more after a call in time, fewer after a slow one',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  abcdefgh---|');
      const quick = cold('   --|         ');
      const slow = cold('    -----|      ');
      const maxLatencyMs = time('---|   ');
      const rule = aimdLimit({ initial: 1, max: 3, maxLatencyMs, keepRatio: 0.34 });
      const result = source.pipe(
        map((value) => (value === 'd' ? slow : quick)),
        semaphore(rule),
      );
      expectObservable(result).toBe('-----------|');
      expectSubscriptions(slow.subscriptions).toBe('   ----^----!');
      expectSubscriptions(quick.subscriptions).toBe([
        // One; then two; then three.
        '                               ^-!          ',
        '                               --^-!        ',
        '                               --^-!        ',
        '                               ----^-!      ',
        '                               -----^-!     ',
        '                               ------^-!    ',
        '                               -------^-!   ',
      ]);
    }),
  );

  it('an error of a task cancels the others', () => {
    const ends: unknown[] = [];
    let finalized = 0;
    const endless = NEVER.pipe(map((value) => value));
    of(
      endless,
      throwError(() => 'boom'),
    )
      .pipe(semaphore(2))
      .subscribe({ error: (error: unknown) => ends.push(error) })
      .add(() => finalized++);
    expect(ends).toEqual(['boom']);
    expect(finalized).toBe(1);
  });

  it('a hundred thousand tasks that wait and end at once do not deepen the stack', () => {
    let count = 0;
    let error: unknown;
    range(0, 1e5)
      .pipe(
        map((n) => of(n)),
        semaphore(concat(of(0), timer(0).pipe(map(() => 1))), { maxQueue: 1e5 }),
      )
      .subscribe({ error: (each: unknown) => (error = each) });
    range(0, 1e5)
      .pipe(
        map((n) => of(n)),
        semaphore(1),
      )
      .subscribe(() => count++);
    expect(error).toBeUndefined();
    expect(count).toBe(1e5);
  });
});
