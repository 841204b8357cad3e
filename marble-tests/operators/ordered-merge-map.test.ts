import { of, range, Subject, take } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { orderedMergeMap } from '../../src/operators/ordered-merge-map.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

describe('orderedMergeMap', () => {
  packStandingCases(<T>() => orderedMergeMap((value: T) => of(value), { concurrency: 4 }));
  throwIsAnErrorNotification({ project: (throwing) => orderedMergeMap(throwing, { concurrency: 1 }) });

  it(
    'runs side by side; results come in the order of the source, as soon as it is their turn',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abc-----------|');
      const first = cold('   ---r--s|       ');
      const second = cold('   -t-u|         ');
      const third = cold('     ---------v|  ');
      const expected = '     ---r--s(tu)v--|';
      const inner: Record<string, Observable<string>> = { a: first, b: second, c: third };
      const result = source.pipe(orderedMergeMap((value) => inner[value]!, { concurrency: 3 }));
      expectObservable(result).toBe(expected);
      expectSubscriptions(first.subscriptions).toBe(' ^------!');
      expectSubscriptions(second.subscriptions).toBe('-^---!');
      expectSubscriptions(third.subscriptions).toBe(' --^---------!');
    }),
  );

  it(
    'a slow one holds up the start of new ones: no more are open than may run',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abc-------|');
      const slow = cold('    -----r|   ');
      const quick = cold('    r|       ');
      const expected = '     -----r(rr)|';
      const result = source.pipe(orderedMergeMap((value) => (value === 'a' ? slow : quick), { concurrency: 2 }));
      expectObservable(result).toBe(expected);
      expectSubscriptions(quick.subscriptions).toBe(['-^!', '------^!']);
    }),
  );

  it(
    'an error comes at once, before results that wait for their turn',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  ab-------|');
      const slow = cold('    -----r|   ');
      const bad = cold('      r-#      ');
      const expected = '     ---#      ';
      const result = source.pipe(orderedMergeMap((value) => (value === 'a' ? slow : bad), { concurrency: 2 }));
      expectObservable(result).toBe(expected);
      expectSubscriptions(slow.subscriptions).toBe('^--!');
    }),
  );

  it(
    'too many results that wait for their turn are an error',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  ab-------|');
      const slow = cold('    ------r|  ');
      const chatty = cold('   xyz|     ');
      const expected = '     ---#      ';
      const limits = { concurrency: 2, maxAhead: 2 };
      const result = source.pipe(orderedMergeMap((value) => (value === 'a' ? slow : chatty), limits));
      const overflow = new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', '2 results wait for an earlier one');
      expectObservable(result).toBe(expected, undefined, overflow);
    }),
  );

  it('what an inner Observable emits while its results come out follows them', () => {
    const inner: Record<string, Subject<string>> = { a: new Subject(), b: new Subject() };
    const got: string[] = [];
    of('a', 'b')
      .pipe(orderedMergeMap((value) => inner[value]!, { concurrency: 2 }))
      .subscribe((value) => {
        got.push(value);
        if (value === 'b1') inner['b']!.next('b3');
      });
    inner['b']!.next('b1');
    inner['b']!.next('b2');
    inner['a']!.complete();
    inner['b']!.next('b4');
    expect(got).toEqual(['b1', 'b2', 'b3', 'b4']);
  });

  it('many that wait for the first one do not deepen the stack, and stop when the consumer has enough', () => {
    const gate = new Subject<number>();
    let count = 0;
    let error: unknown;
    const limits = { concurrency: 5000, maxAhead: 5000 };
    const all = range(0, 5000).pipe(orderedMergeMap((n) => (n === 0 ? gate : of(n)), limits));
    all.subscribe({ next: () => count++, error: (each: unknown) => (error = each) });
    all.pipe(take(3)).subscribe(() => count++);
    gate.complete();
    expect(error).toBeUndefined();
    expect(count).toBe(5000 - 1 + 3);
  });
});
