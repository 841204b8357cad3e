import { concat, defer, EMPTY, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { recoverOrTerminate } from '../../src/operators/recover-or-terminate.js';
import type { RecoverConfig } from '../../src/operators/recover-or-terminate.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const base = {
  recoverable: (error: unknown) => error === 'busy',
  initialMs: 2,
  jitter: 0,
  maxTriesInARow: 3,
  degrade: () => EMPTY,
  notify: () => undefined,
} satisfies RecoverConfig<typeof EMPTY>;

const failsWith = (error: unknown) => () =>
  concat(
    of('a'),
    throwError(() => error),
  );

describe('recoverOrTerminate', () => {
  packStandingCases(<T>() => recoverOrTerminate<T, typeof EMPTY>(base));
  throwIsAnErrorNotification({
    recoverable: (recoverable) => (source) =>
      source.pipe(() => failsWith('busy')(), recoverOrTerminate({ ...base, recoverable })),
  });

  it(
    'a recoverable error is tried again, with back-off',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      let lives = 0;
      const bad = cold('  -#           ', undefined, 'busy');
      const good = cold('         -a|  ');
      const subs = ['                 ^!           ', '                 ---^!        '];
      const expected = '  ---------a|  ';
      const source = defer(() => (++lives < 3 ? bad : good));
      expectObservable(source.pipe(recoverOrTerminate(base))).toBe(expected);
      expectSubscriptions(bad.subscriptions).toBe(subs);
    }),
  );

  it(
    'when the tries are used up it goes on degraded, and nobody is told',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a#             ', undefined, 'busy');
      const cache = cold('              -c|  ');
      const expected = '     -a---a-----a-c| ';
      const notes = new Subject<unknown>();
      const degrading: unknown[] = [];
      expectObservable(notes).toBe('-');
      const result = source.pipe(
        recoverOrTerminate({
          ...base,
          degrade: (error) => {
            degrading.push(error);
            return cache;
          },
          notify: (error) => notes.next(error),
        }),
      );
      expectObservable(result).toBe(expected);
      expectSubscriptions(cache.subscriptions).toBe('------------^-!');
    }),
  );

  it(
    'any other error ends it, and somebody is told first',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a#    ', undefined, 'fatal');
      const cache = cold('  -c|     ');
      const expected = '     -a#    ';
      const told = '         --f    ';
      const notes = new Subject<unknown>();
      expectObservable(notes).toBe(told, { f: 'fatal' });
      const result = source.pipe(
        recoverOrTerminate({ ...base, degrade: () => cache, notify: (error) => notes.next(error) }),
      );
      expectObservable(result).toBe(expected, undefined, 'fatal');
      expectSubscriptions(source.subscriptions).toBe('^-!');
      expectSubscriptions(cache.subscriptions).toBe([]);
    }),
  );

  it('an exhausted retry inside the source that is not recoverable does not degrade', () => {
    const inner = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', 'inside');
    const seen: unknown[] = [];
    throwError(() => inner)
      .pipe(recoverOrTerminate({ ...base, degrade: () => of('cache'), notify: (error) => seen.push(['told', error]) }))
      .subscribe({ next: (value) => seen.push(value), error: (error: unknown) => seen.push(error) });
    expect(seen).toEqual([['told', inner], inner]);
  });

  it(
    'degrade hears what was used up; its own error ends it, and somebody is told',
    marbles(({ cold, expectObservable, flush }) => {
      const seen: unknown[] = [];
      const degrade = (error: unknown) => {
        seen.push((error as MillraceError).code, (error as MillraceError).cause);
        return cold('-#', undefined, 'cache is down');
      };
      const result = cold('#', undefined, 'busy').pipe(
        recoverOrTerminate({ ...base, maxTriesInARow: 1, degrade, notify: (error) => seen.push(error) }),
      );
      expectObservable(result).toBe('-#', undefined, 'cache is down');
      flush();
      expect(seen).toEqual(['MILLRACE_E_RETRY_EXHAUSTED', 'busy', 'cache is down']);
    }),
  );

  it(
    'unsubscribing during the wait or the degraded source ends it; nobody is told',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  #     ', undefined, 'busy');
      const notes = new Subject<unknown>();
      expectObservable(notes).toBe('-');
      const config = { ...base, notify: (error: unknown) => notes.next(error) };
      expectObservable(source.pipe(recoverOrTerminate(config)), '-!').toBe('-');
      expectSubscriptions(source.subscriptions).toBe(['(^!)', '(^!)']);
      const cache = cold('-----');
      const once = { ...config, maxTriesInARow: 1, degrade: () => cache };
      expectObservable(source.pipe(recoverOrTerminate(once)), '---!').toBe('-');
      expectSubscriptions(cache.subscriptions).toBe('^--!');
    }),
  );

  it('a throw in degrade or notify is an error notification', () => {
    const throwing = (): never => {
      throw new Error('mine');
    };
    for (const config of [
      { ...base, maxTriesInARow: 1, degrade: throwing },
      { ...base, recoverable: () => false, notify: throwing },
    ]) {
      const ends: unknown[] = [];
      failsWith('busy')()
        .pipe(recoverOrTerminate(config))
        .subscribe({ error: (error: unknown) => ends.push(error) });
      expect(ends).toEqual([new Error('mine')]);
    }
  });
});
