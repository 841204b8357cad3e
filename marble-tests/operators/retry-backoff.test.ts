import { defer, retry, take } from 'rxjs';
import { describe, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { retryBackoff } from '../../src/operators/retry-backoff.js';
import { marbles } from '../marbles.js';
import { packStandingCases } from './pack-standing-cases.js';

// What the three forms of a policy have in common is in backoff.test.ts. Here: what only the operator promises.
describe('retryBackoff', () => {
  packStandingCases(() => retryBackoff({ recoverable: () => false }));

  it(
    'the same policy value serves two streams that know nothing of each other',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const operator = retryBackoff<string>({ initialMs: 2, jitter: 0 });
      const one = cold('     -#          ');
      const oneSubs = ['     ^!          ', '---^!       '];
      const other = cold('   ----#       ');
      const otherSubs = ['   ^---!       ', '------^-!   '];
      const unsub = '        --------!   ';
      expectObservable(one.pipe(operator), unsub).toBe('-');
      expectObservable(other.pipe(operator), unsub).toBe('-');
      expectSubscriptions(one.subscriptions).toBe([oneSubs[0]!, oneSubs[1]!]);
      expectSubscriptions(other.subscriptions).toBe([otherSubs[0]!, otherSubs[1]!]);
    }),
  );

  it(
    'a budget of tries in a row is renewed by a stable life, not by a value',
    marbles(({ cold, expectObservable }) => {
      const lives = ['a#', '-----b#', 'c#', 'd#'];
      let life = 0;
      const source = defer(() => cold(lives[life++] ?? '|'));
      // fails at 1 (one), 2 + 6 (stable: one), 9 + 1 (two: the end)
      const expected = 'a------b-c#';
      const result = source.pipe(retryBackoff({ initialMs: 1, maxMs: 1, jitter: 0, stableMs: 6, maxTriesInARow: 2 }));
      const exhausted = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', '2 in a row, the last: error', {
        cause: 'error',
      });
      expectObservable(result).toBe(expected, undefined, exhausted);
    }),
  );

  it(
    'beside it: what a lifetime budget and a reset after each value do to a flapping source',
    marbles(({ cold, time, expectObservable }) => {
      const flapping = cold('          a#                 ');
      const wait = time('               -|                ');
      const unsub = '                  --------------!    ';
      const byBackoff = '              a-a--a----a----    ';
      const byResetOnSuccess = '       a-a-a-a-a-a-a--    ';
      expectObservable(flapping.pipe(retryBackoff({ initialMs: wait, jitter: 0 })), unsub).toBe(byBackoff);
      const everResetting = flapping.pipe(retry({ delay: wait, resetOnSuccess: true }));
      expectObservable(everResetting, unsub).toBe(byResetOnSuccess);
    }),
  );

  it(
    'repeats nothing itself: after take(1) nothing is subscribed again',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  #        ');
      const good = cold('    -(ab|)   ');
      let lives = 0;
      const either = defer(() => (lives++ === 0 ? source : good));
      const expected = '     ----(a|) ';
      expectObservable(either.pipe(retryBackoff({ initialMs: 3, jitter: 0 }), take(1))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('(^!)');
      expectSubscriptions(good.subscriptions).toBe('---^!');
    }),
  );
});
