import {
  defer,
  EMPTY,
  map,
  mergeMap,
  Observable,
  of,
  range,
  retry,
  retryWhen,
  Subject,
  take,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { backoff, backoffDelay } from '../../src/operators/backoff.js';
import type { BackoffPolicy, FailedTry } from '../../src/operators/backoff.js';
import { retryBackoff } from '../../src/operators/retry-backoff.js';
import { MillraceError } from '../../src/model/errors.js';
import { marbles } from '../marbles.js';

/** 2, 4, 8, 16 … ms. */
const stairs: BackoffPolicy = { initialMs: 2, jitter: 0 };

/** A source that lives differently each time it is subscribed. */
function eachLife(cold: RunHelpers['cold'], lives: readonly string[]): Observable<string> {
  let life = 0;
  return defer(() => cold(lives[life++] ?? '|'));
}

function exhausted(times: number, cause: unknown): MillraceError {
  return new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', `${times} in a row, the last: ${String(cause)}`, { cause });
}

const boom = throwError(() => 'boom');

type Form = (policy: BackoffPolicy, scheduler?: SchedulerLike) => MonoTypeOperatorFunction<unknown>;

const forms: readonly (readonly [string, Form])[] = [
  // The card names it; it is deprecated in RxJS 7 and works all the same.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  ['retryWhen(backoff(policy))', (policy, scheduler) => retryWhen(backoff(policy, scheduler))],
  ['retry({ delay: backoffDelay(policy) })', (policy, scheduler) => retry({ delay: backoffDelay(policy, scheduler) })],
  ['retryBackoff(policy)', (policy, scheduler) => retryBackoff(policy, scheduler)],
];

describe.each(forms)('%s', (_, form) => {
  it(
    'waits twice as long after each failure',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -#                         ');
      const subs = [
        '                    ^!                         ',
        '                    ---^!                      ',
        '                    --------^!                 ',
        '                    -----------------^!        ',
      ];
      const unsub = '        --------------------------!';
      const expected = '     ---------------------------';
      expectObservable(source.pipe(form(stairs)), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'waits no longer than the cap',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -#                ');
      const subs = [
        '                    ^!                ',
        '                    ---^!             ',
        '                    -------^!         ',
        '                    -----------^!     ',
        '                    ---------------^! ',
      ];
      const unsub = '        -----------------!';
      expectObservable(source.pipe(form({ ...stairs, maxMs: 3 })), unsub).toBe('-');
      expectSubscriptions(source.subscriptions).toBe([subs[0]!, subs[1]!, subs[2]!, subs[3]!, subs[4]!]);
    }),
  );

  it(
    'full jitter: anywhere between nothing and the stair',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const chances = [0.5, 0, 0.75];
      const source = cold('  -#            ');
      const subs = [
        '                    ^!            ',
        '                    --^!          ',
        '                    ---^!         ',
        '                    ----------^!  ',
      ];
      const unsub = '        -------------!';
      const random = (): number => chances.shift() ?? 0.999;
      expectObservable(source.pipe(form({ initialMs: 2, jitter: 'full', random })), unsub).toBe('-');
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'clamped jitter: around the stair, never below the first nor above the cap',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      // 4 − 50 % → clamped to 4;  8 + 50 %;  16 + 50 % → clamped to 20
      const chances = [0, 1, 1];
      const source = cold('  -#                                            ');
      const subs = [
        '                    ^!                                            ',
        '                    -----^!                                       ',
        '                    ------------------^!                          ',
        '                    ---------------------------------------^!     ',
      ];
      const unsub = '        -------------------------------------------!  ';
      const random = (): number => chances.shift() ?? 0;
      expectObservable(source.pipe(form({ initialMs: 4, maxMs: 20, jitter: 0.5, random })), unsub).toBe('-');
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'gives up after so many failures in a row, with the last error as the cause',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a#               ', undefined, 'boom');
      const subs = [
        '                    ^-!               ',
        '                    ----^-!           ',
        '                    ----------^-!     ',
      ];
      const expected = '     -a---a-----a#     ';
      const result = source.pipe(form({ ...stairs, maxTriesInARow: 3 }));
      expectObservable(result).toBe(expected, undefined, exhausted(3, 'boom'));
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'passes on what is not recoverable, at once and as it is',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a#     ', undefined, 'fatal');
      const subs = '         ^-!     ';
      const expected = '     -a#     ';
      const result = source.pipe(form({ ...stairs, recoverable: (error) => error !== 'fatal' }));
      expectObservable(result).toBe(expected, undefined, 'fatal');
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'wake cuts the running wait, and only that one',
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold('  -#                                  ');
      const wake = hot('     ------w-----------------------------');
      const subs = [
        '                    ^!                                  ',
        '                    ---^!                               ',
        '                    ------^!                            ',
        '                    ---------------^!                   ',
      ];
      const unsub = '        -----------------!                  ';
      expectObservable(source.pipe(form({ ...stairs, wake })), unsub).toBe('-');
      expectSubscriptions(source.subscriptions).toBe(subs);
      expectSubscriptions(wake.subscriptions).toBe([
        '                    -^-!                                ',
        '                    ----^-!                             ',
        '                    -------^-------!                    ',
        '                    ----------------^!                  ',
      ]);
    }),
  );

  it(
    'a wake that has completed changes nothing',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -#        ');
      const subs = ['        ^!        ', '---^!     '];
      const unsub = '        -----!    ';
      expectObservable(source.pipe(form({ ...stairs, wake: EMPTY })), unsub).toBe('-');
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'tells of every failed try that is followed by another',
    marbles(({ cold, expectObservable, flush }) => {
      const tries: FailedTry[] = [];
      const policy = { ...stairs, maxTriesInARow: 3, onRetry: (failed: FailedTry) => tries.push(failed) };
      expectObservable(cold('-#', undefined, 'boom').pipe(form(policy))).toBe(
        '------ ---#',
        undefined,
        exhausted(3, 'boom'),
      );
      flush();
      expect(tries).toEqual([
        { error: 'boom', triesInARow: 1, waitMs: 2 },
        { error: 'boom', triesInARow: 2, waitMs: 4 },
      ]);
    }),
  );

  it(
    'values, completion, emptiness and silence pass through',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-a-b-|').pipe(form(stairs))).toBe('-a-b-|');
      expectObservable(cold('|').pipe(form(stairs))).toBe('|');
      expectObservable(cold('-').pipe(form(stairs))).toBe('-');
    }),
  );

  it(
    'unsubscribing ends the source, or the wait: nothing is subscribed later',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const lasting = cold(' -a-b-c-      ');
      const lastingSubs = '  ^---!         ';
      const failing = cold(' -a#          ');
      const failingSubs = '  ^-!           ';
      const unsub = '        ----!         ';
      expectObservable(lasting.pipe(form(stairs)), unsub).toBe('-a-b');
      expectObservable(failing.pipe(form({ ...stairs, initialMs: 3 })), unsub).toBe('-a--');
      expectSubscriptions(lasting.subscriptions).toBe(lastingSubs);
      expectSubscriptions(failing.subscriptions).toBe(failingSubs);
    }),
  );

  it('a synchronous source stops when take(1) has its value', () => {
    let produced = 0;
    const source = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 10) subscriber.next(produced++);
    });
    source.pipe(form(stairs), take(1)).subscribe();
    expect(produced).toBe(1);
  });

  it.each(['recoverable', 'onRetry', 'random'] as const)('a throw in %s is an error notification', (callback) => {
    const policy: BackoffPolicy = {
      initialMs: 2,
      [callback]: () => {
        throw new Error('mine');
      },
    };
    let caught: unknown;
    boom.pipe(form(policy)).subscribe({ error: (error: unknown) => (caught = error) });
    expect(caught).toEqual(new Error('mine'));
  });

  it(
    'two subscriptions share nothing',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -#         ');
      const result = source.pipe(form(stairs));
      const early = '        ---------!';
      const late = '         --^------!';
      expectObservable(result, early).toBe('-');
      expectObservable(result, late).toBe('-');
      expectSubscriptions(source.subscriptions).toBe([
        '                    ^!           ',
        '                    --^!         ',
        '                    ---^!        ',
        '                    -----^!      ',
        '                    --------^!   ',
      ]);
    }),
  );

  it('passes values that are pushed inside `next` on, too', () => {
    const source = new Subject<number>();
    const got: unknown[] = [];
    source.pipe(form(stairs)).subscribe((value) => {
      got.push(value);
      if (value === 1) source.next(2);
    });
    source.next(1);
    expect(got).toEqual([1, 2]);
  });

  it('takes a million synchronous values, and a hundred thousand failures in a row', () => {
    let count = 0;
    range(0, 1e6)
      .pipe(form(stairs))
      .subscribe(() => count++);
    expect(count).toBe(1e6);
    const scheduler = new TestScheduler(() => undefined);
    scheduler.run(({ flush }) => {
      let failures = 0;
      const source = defer(() => (++failures > 1e5 ? of('done') : boom));
      let got: unknown;
      source.pipe(form({ initialMs: 1, maxMs: 1, jitter: 0 })).subscribe((value) => (got = value));
      flush();
      expect(got).toBe('done');
    });
  });
});

describe.each(forms.filter(([name]) => !name.includes('backoffDelay')))('%s: failures in a row', (_, form) => {
  const policy: BackoffPolicy = { initialMs: 1, jitter: 0, stableMs: 5 };

  it(
    'starts at the first stair again when the source lasted stableMs since its resubscription',
    marbles(({ cold, expectObservable }) => {
      const lives = ['#', '#', '----a#', '-----#', '(b|)'];
      //             0    1    3: fails at 8, after 5 ms: stable; waits 1; 9: fails at 14, stable; waits 1
      const expected = '   -------a-------(b|)';
      expectObservable(eachLife(cold, lives).pipe(form(policy))).toBe(expected);
    }),
  );

  it(
    'a flapping source does not retry at the smallest wait for ever',
    marbles(({ cold, expectObservable }) => {
      // Each life has a value and lasts 4 ms, less than stableMs: waits 1, 2, 4, 8.
      const lives = ['a---#', 'b---#', 'c---#', 'd---#', '(e|)'];
      const expected = '   a----b-----c-------d-----------(e|)';
      expectObservable(eachLife(cold, lives).pipe(form(policy))).toBe(expected);
    }),
  );
});

describe('retry({ delay: backoffDelay(policy) })', () => {
  it(
    'counts over the whole life of the subscription: no reset after stableMs',
    marbles(({ cold, expectObservable }) => {
      const lives = ['#', '#', '----a#', '(b|)'];
      const expected = '   -------a----(b|)';
      const delay = backoffDelay({ initialMs: 1, jitter: 0, stableMs: 5 });
      expectObservable(eachLife(cold, lives).pipe(retry({ delay }))).toBe(expected);
    }),
  );
});

describe('backoff(policy) as a notifier', () => {
  it(
    'emits when the next try may start, and completes when there are no more errors',
    marbles(({ cold, expectObservable }) => {
      const errors = cold('  e---------|  ');
      const expected = '     --r-------|  ';
      expectObservable(backoff(stairs)(errors).pipe(map(() => 'r'))).toBe(expected);
    }),
  );
});

describe('the scheduler', () => {
  it.each(forms)('reaches the wait and the clock of stableMs: %s', (_, form) => {
    const scheduler = new VirtualTimeScheduler();
    const waits: number[] = [];
    const policy: BackoffPolicy = { ...stairs, stableMs: 5, onRetry: ({ waitMs }) => waits.push(waitMs) };
    let lives = 0;
    const source = defer(() => (lives++ < 3 ? timer(5, scheduler).pipe(mergeMap(() => boom)) : of('done')));
    let got: unknown;
    source.pipe(form(policy, scheduler)).subscribe((value) => (got = value));
    expect(lives).toBe(1);
    scheduler.flush();
    expect(got).toBe('done');
    // The first failure counts as one however long it took; backoffDelay has no reset.
    expect(waits).toEqual(_.includes('backoffDelay') ? [2, 4, 8] : [2, 2, 2]);
  });
});

describe.each(forms)('%s: an AbortSignal', (_, form) => {
  const aborted = new MillraceError('MILLRACE_E_RETRY_ABORTED', undefined, { cause: 'boom' });

  it(
    'ends a running wait, with the last error as the cause',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const controller = new AbortController();
      const source = cold('  -#          ', undefined, 'boom');
      const abort = cold('   -----a      ').pipe(
        map(() => {
          controller.abort();
        }),
      );
      const subs = ['        ^!          ', '---^!       '];
      const expected = '     -----#      ';
      expectObservable(abort).toBe('-----a', { a: undefined });
      expectObservable(source.pipe(form({ ...stairs, signal: controller.signal }))).toBe(expected, undefined, aborted);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it('that is aborted already ends it at the next failure, and none listens when the wait is over', () => {
    const ends: unknown[] = [];
    boom.pipe(form({ signal: AbortSignal.abort() })).subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual([aborted]);
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => {
      listeners++;
    };
    signal.removeEventListener = () => {
      listeners--;
    };
    const scheduler = new VirtualTimeScheduler();
    let lives = 0;
    const source = defer(() => (lives++ < 3 ? boom : of('done')));
    source.pipe(form({ ...stairs, signal }, scheduler)).subscribe();
    expect(listeners).toBe(1);
    scheduler.flush();
    expect(lives).toBe(4);
    expect(listeners).toBe(0);
  });
});

describe.each(forms.filter(([name]) => !name.includes('backoffDelay')))('%s: the total time', (_, form) => {
  it(
    'ends it when the next try would be too late after the first failure in a row',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -#              ', undefined, 'boom');
      // Fails at 1, 4 and 9; the next try would be at 17.
      const subs = [
        '                    ^!              ',
        '                    ---^!           ',
        '                    --------^!      ',
      ];
      const expected = '     ---------#      ';
      const exhaustedTime = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', '3 in a row within 15 ms, the last: boom', {
        cause: 'boom',
      });
      expectObservable(source.pipe(form({ ...stairs, maxTotalMs: 15 }))).toBe(expected, undefined, exhaustedTime);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'begins anew after a stable period, and exactly the limit is still in time',
    marbles(({ cold, expectObservable }) => {
      const lives = ['#', '-----#', '-----#', '(b|)'];
      const expected = '   -------------(b|)';
      const policy = { initialMs: 1, maxMs: 1, jitter: 0, stableMs: 5, maxTotalMs: 1 };
      expectObservable(eachLife(cold, lives).pipe(form(policy))).toBe(expected);
    }),
  );
});

describe('backoff(policy) for metrics', () => {
  it(
    'emits the failed try when the next one may start',
    marbles(({ cold, expectObservable }) => {
      const errors = cold('  e-----e-----|');
      const expected = '     --x-------y-|';
      expectObservable(backoff(stairs)(errors)).toBe(expected, {
        x: { error: 'e', triesInARow: 1, waitMs: 2 },
        y: { error: 'e', triesInARow: 2, waitMs: 4 },
      });
    }),
  );
});
