import { deepStrictEqual } from 'node:assert';
import { TestScheduler } from 'rxjs/testing';
import type { RunHelpers } from 'rxjs/testing';

/**
 * A test in virtual time, for any test runner: `it('…', marbles(({ cold, expectObservable }) => { … }))`. A function that
 * throws when what came out is not what was drawn. Timers of RxJS inside it take no real time; promises are not moved.
 *
 * @example
 * ```ts
 * const emptyBatchesDoNotExist = marbles(({ cold, time, expectObservable }) => {
 *   const source = cold('  -a-b-------c|   ');
 *   const wait = time('     ---|           ');
 *   const expected = '     ----x-------(y|)';
 *   expectObservable(source.pipe(batch({ maxWaitMs: wait }))).toBe(expected, { x: ['a', 'b'], y: ['c'] });
 * });
 * emptyBatchesDoNotExist();
 * console.log('as drawn');
 * // → as drawn
 * ```
 */
export function marbles(test: (helpers: RunHelpers, scheduler: TestScheduler) => void): () => void {
  return () => {
    const scheduler = new TestScheduler((actual, expected) => deepStrictEqual(actual, expected));
    scheduler.run((helpers) => test(helpers, scheduler));
  };
}
