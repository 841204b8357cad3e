import { defer, EMPTY, NEVER, Observable, of, range, retry, Subject, take, throwError } from 'rxjs';
import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { expect, it } from 'vitest';
import { marbles } from '../marbles.js';

/** What every operator of the pack does, set up so that every value comes through as it is, at once. */
export function packStandingCases(through: <T>() => MonoTypeOperatorFunction<T>): void {
  it(
    'basic: values, completion and errors pass, when they come',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-|  ');
      const subs = '         ^----!  ';
      const expected = '     -a-b-|  ';
      expectObservable(source.pipe(through())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
      const failing = cold(' -a-#    ');
      const failed = '       -a-#    ';
      expectObservable(failing.pipe(through())).toBe(failed);
      expectSubscriptions(failing.subscriptions).toBe('^--!');
    }),
  );

  it(
    'empty and never stay so',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('--|').pipe(through())).toBe('--|');
      expectObservable(EMPTY.pipe(through())).toBe('|');
      expectObservable(NEVER.pipe(through()), '----!').toBe('-');
    }),
  );

  it(
    'early unsubscribe ends the source',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-|');
      const unsub = '        ----!   ';
      const subs = '         ^---!   ';
      const expected = '     -a-b-   ';
      expectObservable(source.pipe(through()), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it('a synchronous source stops when take(1) has its value', () => {
    let produced = 0;
    const source = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(produced++);
    });
    source.pipe(through(), take(1)).subscribe();
    expect(produced).toBe(1);
  });

  it(
    'two subscriptions share nothing',
    marbles(({ cold, expectObservable }) => {
      const result = cold('                 -a-b-|   ').pipe(through());
      const late = '                        --^------';
      expectObservable(result).toBe('       -a-b-|   ');
      expectObservable(result, late).toBe(' ---a-b-| ');
    }),
  );

  it('starts afresh when it is subscribed again after an error', () => {
    let lives = 0;
    const got: string[] = [];
    const source = defer(() => (++lives < 3 ? throwError(() => 'boom') : of('a', 'b')));
    source.pipe(through(), retry(5)).subscribe((value) => got.push(value));
    expect(got).toEqual(['a', 'b']);
    expect(lives).toBe(3);
  });

  it('a value that is pushed inside `next` comes after it', () => {
    const source = new Subject<number>();
    const got: number[] = [];
    source.pipe(through()).subscribe((value) => {
      got.push(value);
      if (value === 1) source.next(2);
    });
    source.next(1);
    expect(got).toEqual([1, 2]);
  });

  it('takes a million synchronous values', { timeout: 60_000 }, () => {
    let count = 0;
    let error: unknown;
    range(0, 1e6)
      .pipe(through())
      .subscribe({ next: () => count++, error: (each: unknown) => (error = each) });
    expect(error).toBeUndefined();
    expect(count).toBe(1e6);
  });
}

/** A throw in a callback of the operator ends the result with it, and unsubscribes the source. */
export function throwIsAnErrorNotification(
  callbacks: Readonly<Record<string, (throwing: () => never) => OperatorFunction<string, unknown>>>,
): void {
  it.each(Object.entries(callbacks))('a throw in %s is an error notification', (_, operator) => {
    const scheduler = new TestScheduler(() => undefined);
    scheduler.run(({ flush }) => {
      const source = new Subject<string>();
      const ends: unknown[] = [];
      const throwing = (): never => {
        throw new Error('mine');
      };
      source
        .pipe(operator(throwing))
        .subscribe({ error: (error: unknown) => ends.push(error), complete: () => ends.push('complete') });
      for (const value of ['a', 'a', 'a']) source.next(value);
      flush();
      expect(ends).toEqual([new Error('mine')]);
      expect(source.observed).toBe(false);
    });
  });
}
