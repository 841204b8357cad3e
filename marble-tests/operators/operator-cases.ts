import { from, map, NEVER, Observable, range, Subject, take } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { expect, it } from 'vitest';
import { KeptState } from '../../src/operators/kept-state.js';
import { marbles } from '../marbles.js';

/** An operator to try, with elements of which each makes exactly one result come out. */
export interface OperatorCases<T, R, S> {
  readonly operator: (state?: KeptState<S>) => OperatorFunction<T, R>;
  /** The n-th element, from 0. */
  readonly element: (n: number) => T;
  /** The first result comes with this element: 1 at once, 2 when a window waits for what comes after it. */
  readonly firstWith: 1 | 2;
  /** The operator with a callback that throws this at the first element. */
  readonly throwing: (error: Error) => OperatorFunction<T, R>;
}

/** What every operator around a state machine does. */
export function operatorCases<T, R, S>({ operator, element, firstWith, throwing }: OperatorCases<T, R, S>): void {
  const first = (count: number): T[] => Array.from({ length: count }, (_, n) => element(n));
  const counted = map((_: unknown, n: number) => element(n));
  const letter = map(() => 'r');
  const resultsOf = (elements: readonly T[], state?: KeptState<S>): R[] => {
    const results: R[] = [];
    from(elements)
      .pipe(operator(state))
      .subscribe((result) => results.push(result));
    return results;
  };

  it(
    'basic',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                          -e-e-e-|   ');
      const subs = '                                 ^------!   ';
      const expected = ['', '-r-r-r-|', '---r-r-(r|)'][firstWith] ?? '';
      expectObservable(source.pipe(counted, operator(), letter)).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'empty and never stay so',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('  |').pipe(counted, operator())).toBe('  |');
      expectObservable(cold('--|').pipe(counted, operator())).toBe('--|');
      expectObservable(NEVER.pipe(counted, operator())).toBe('        -');
    }),
  );

  it(
    'an error is passed on at once, without half a result',
    marbles(({ cold, expectObservable }) => {
      const expected = ['', '-r-r-#', '---r-#'][firstWith] ?? '';
      expectObservable(cold('-e-e-#').pipe(counted, operator(), letter)).toBe(expected);
      expectObservable(cold('#').pipe(counted, operator())).toBe('#');
    }),
  );

  it(
    'early unsubscribe: the source is left, nothing more comes',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                       -e-e-e-e-');
      const unsub = '                             ----!    ';
      const subs = '                              ^---!    ';
      const expected = ['', '-r-r-', '---r-'][firstWith] ?? '';
      expectObservable(source.pipe(counted, operator(), letter), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it('a synchronous source stops when take(1) has its result', () => {
    let produced = 0;
    const source = new Observable<T>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(element(produced++));
    });
    source.pipe(operator(), take(1)).subscribe();
    expect(produced).toBe(firstWith);
  });

  it(
    'a throwing callback is an error notification',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -e-e-|');
      const subs = '         ^!    ';
      const expected = '     -#    ';
      expectObservable(source.pipe(counted, throwing(new Error('mine')))).toBe(expected, {}, new Error('mine'));
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it('two subscriptions share nothing', () => {
    const shared = operator();
    const source = new Subject<T>();
    const [one, other]: [R[], R[]] = [[], []];
    source.pipe(shared).subscribe((result) => one.push(result));
    source.next(element(0));
    source.pipe(shared).subscribe((result) => other.push(result));
    first(4)
      .slice(1)
      .forEach((next) => source.next(next));
    source.complete();
    expect(one).toEqual(resultsOf(first(4)));
    expect(other).toEqual(resultsOf(first(4).slice(1)));
  });

  it('keeps order when the consumer pushes, and completes, while it holds a result', () => {
    const source = new Subject<T>();
    const elements = first(6);
    const results: (R | 'end')[] = [];
    let pushed = firstWith as number;
    source.pipe(operator()).subscribe({
      next: (result) => {
        const next = elements[pushed++];
        if (next === undefined) source.complete();
        else source.next(next);
        results.push(result);
      },
      complete: () => results.push('end'),
    });
    elements.slice(0, firstWith).forEach((each) => source.next(each));
    // The one inside is done first, because it holds the other; but what comes out is in order.
    expect(results).toEqual([...resultsOf(elements), 'end']);
  });

  it('takes a million synchronous elements', () => {
    let count = 0;
    range(0, 1e6)
      .pipe(map(element), operator())
      .subscribe(() => count++);
    expect(count).toBe(1e6);
  });

  it('goes on from a saved state as if it had never stopped', () => {
    const elements = first(8);
    const whole = resultsOf(elements);
    for (let cut = 0; cut <= elements.length; cut++) {
      const kept = new KeptState<S>();
      const source = new Subject<T>();
      const results: R[] = [];
      source.pipe(operator(kept)).subscribe((result) => results.push(result));
      elements.slice(0, cut).forEach((each) => source.next(each));
      const saved = JSON.parse(JSON.stringify(kept.capture())) as S;
      expect([...results, ...resultsOf(elements.slice(cut), new KeptState(saved))]).toEqual(whole);
    }
  });
}
