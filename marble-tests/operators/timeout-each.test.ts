import { EMPTY, NEVER, of, throwError } from 'rxjs';
import { describe, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { timeoutEach } from '../../src/operators/timeout-each.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const late = new MillraceError('MILLRACE_E_OPERATOR_TIMEOUT', 'more than 4 ms');
const limits = { maxMs: 4, concurrency: 2 };

describe('timeoutEach', () => {
  packStandingCases(<T>() => timeoutEach((value: T) => of(value), limits));
  throwIsAnErrorNotification({
    project: (throwing) => timeoutEach(throwing, limits),
    instead: (instead) => timeoutEach(() => NEVER, { ...limits, instead }),
  });

  it(
    'a call that takes too long is cancelled and ends the stream; results before that stay',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-------|');
      const call = cold('     -r------|');
      const subs = '         -^---!    ';
      const expected = '     --r--#    ';
      expectObservable(source.pipe(timeoutEach(() => call, limits))).toBe(expected, undefined, late);
      expectSubscriptions(call.subscriptions).toBe(subs);
    }),
  );

  it(
    'instead goes on for that value only; the time begins when the call starts, not while it waits',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  ab-----------|');
      const slow = cold('    ------r|      ');
      const quick = cold('       --r|       ');
      const subs = '         ----^--!      ';
      const expected = '     ----x-r------|';
      const result = source.pipe(
        timeoutEach((value) => (value === 'a' ? slow : quick), { ...limits, concurrency: 1, instead: () => of('x') }),
      );
      expectObservable(result).toBe(expected);
      expectSubscriptions(quick.subscriptions).toBe(subs);
    }),
  );

  it(
    'boundary: a call that completes in the last millisecond is in time',
    marbles(({ cold, expectObservable }) => {
      // The call is scheduled when it is subscribed, after its timer: in the same frame the timer comes first.
      expectObservable(cold('a----|').pipe(timeoutEach(() => cold('---|'), limits))).toBe('-----|');
      expectObservable(cold('a----|').pipe(timeoutEach(() => cold('----|'), limits))).toBe('----#', undefined, late);
    }),
  );

  it(
    'a timeout inside of a call is an error like any other, not this one',
    marbles(({ cold, expectObservable }) => {
      const inside = new MillraceError('MILLRACE_E_OPERATOR_TIMEOUT', 'inside');
      const result = cold('a--|').pipe(
        timeoutEach(() => throwError(() => inside), { ...limits, instead: () => EMPTY }),
      );
      expectObservable(result).toBe('#', undefined, inside);
    }),
  );

  it(
    'unsubscribing cancels calls and timers',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const call = cold('  -------r');
      const unsub = '      --!     ';
      expectObservable(cold('a----').pipe(timeoutEach(() => call, limits)), unsub).toBe('-');
      expectSubscriptions(call.subscriptions).toBe('^-!');
    }),
  );
});
