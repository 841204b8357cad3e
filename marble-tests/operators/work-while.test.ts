import { defer, EMPTY, map, Observable, of, range, Subject, take, tap } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { workWhile } from '../../src/operators/work-while.js';
import { marbles } from '../marbles.js';

/** A queue that is emptied by each run of the work; a run emits what it took. */
function emptying(work: (taken: string) => Observable<string>): {
  queue: string[];
  commit: Observable<string>;
  hasMore: () => boolean;
} {
  const queue: string[] = [];
  return { queue, hasMore: () => queue.length > 0, commit: defer(() => work(queue.splice(0).join(''))) };
}

function arrivals(cold: RunHelpers['cold'], drawn: string, queue: string[]): Observable<string> {
  return cold(drawn).pipe(tap((each) => queue.push(each)));
}

describe('workWhile', () => {
  it(
    'works at once when idle; what arrives meanwhile is the next run, which starts at once',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const signals = '           -ab-----c-----|   ';
      const working = cold('       ---(w|)          ');
      const runs = [
        '                          -^--!             ',
        '                          ----^--!          ',
        '                          --------^--!      ',
      ];
      const expected = '          ----x--y---z--|   ';
      const { queue, commit, hasMore } = emptying((taken) => working.pipe(map(() => taken)));
      const result = arrivals(cold, signals, queue).pipe(workWhile(hasMore, commit));
      expectObservable(result).toBe(expected, { x: 'a', y: 'b', z: 'c' });
      expectSubscriptions(working.subscriptions).toBe(runs);
    }),
  );

  it(
    'everything that arrived during a run is one run',
    marbles(({ cold, expectObservable }) => {
      const signals = '  abcd-----|    ';
      const working = cold('---(w|)     ');
      const expected = ' ---x--y--|    ';
      const { queue, commit, hasMore } = emptying((taken) => working.pipe(map(() => taken)));
      const result = arrivals(cold, signals, queue).pipe(workWhile(hasMore, commit));
      expectObservable(result).toBe(expected, { x: 'a', y: 'bcd' });
    }),
  );

  it(
    'completes when the signals have and the running work is done; empty and never stay so',
    marbles(({ cold, expectObservable }) => {
      const working = cold('---(w|)');
      const through = workWhile(() => false, working);
      expectObservable(cold('a|').pipe(through)).toBe('---(w|)');
      expectObservable(cold('--|').pipe(through)).toBe('--|');
      expectObservable(cold('-').pipe(through)).toBe('-');
      expectObservable(cold('a#').pipe(through)).toBe('-#');
    }),
  );

  it(
    'an error of the work, or a throw in hasMore, is passed on and ends the signals',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const signals = cold(' a-------');
      const subs = '         ^--!    ';
      const expected = '     ---#    ';
      expectObservable(signals.pipe(workWhile(() => true, cold('---#')))).toBe(expected);
      expectSubscriptions(signals.subscriptions).toBe(subs);
      const throwing = (): boolean => {
        throw new Error('mine');
      };
      expectObservable(cold('a').pipe(workWhile(throwing, EMPTY))).toBe('#', undefined, new Error('mine'));
    }),
  );

  it(
    'unsubscribing cancels the running work; two subscriptions share nothing',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const working = cold('-----');
      const result = cold(' a----').pipe(workWhile(() => true, working));
      expectObservable(result, '   --!').toBe('-');
      expectObservable(result, '   -^--!').toBe('-');
      expectSubscriptions(working.subscriptions).toBe(['^-!', '-^--!']);
    }),
  );

  it('what is pushed inside the work is the next run, a hundred thousand times without a deeper stack', () => {
    const signals = new Subject<void>();
    let left = 1e5;
    let runs = 0;
    const work = defer(() => {
      runs++;
      if (--left > 0) signals.next();
      return of(runs);
    });
    const errors: unknown[] = [];
    signals.pipe(workWhile(() => left > 0, work)).subscribe({ error: (error: unknown) => errors.push(error) });
    signals.next();
    expect(errors).toEqual([]);
    expect(runs).toBe(1e5);
    let emitted = 0;
    range(0, 1e5)
      .pipe(workWhile(() => false, of('w')))
      .subscribe(() => emitted++);
    expect(emitted).toBe(1e5);
  });

  it('a synchronous source stops when take(1) has its value', () => {
    let produced = 0;
    const source = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 10) subscriber.next(produced++);
    });
    source
      .pipe(
        workWhile(() => true, of('w')),
        take(1),
      )
      .subscribe();
    expect(produced).toBe(1);
  });
});
