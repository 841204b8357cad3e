import { catchError } from 'rxjs';
import type { Observable, ObservableInput, ObservedValueOf, OperatorFunction } from 'rxjs';
import { call } from './call.js';
import type { FallbackConfig } from './fallback-to.js';
import { mergeMapBounded } from './merge-map-bounded.js';
import type { MergeLimits } from './merge-map-bounded.js';

/** Which errors lead to the fallback, and how many calls run. */
export interface FallbackEachConfig<T> extends FallbackConfig, MergeLimits<T> {}

/**
 * Calls `project` for each value; where a call fails, goes on with the fallback for that value, and with `project` for
 * the next one. (`fallbackTo` is for the stream as a whole: it never comes back.)
 *
 * - on error: of the source, of the fallback, or one that `when` says false for: passed on. A throw in `project` is a
 *   failed call.
 * - on complete: completes when every call is done. On unsubscribe: calls and fallbacks are cancelled.
 * - results of a call that came before its error stay; emits in the order in which results come.
 * - memory: `maxQueue` values, `concurrency` calls.
 *
 * ```marbles
 * source  a---b---c---|
 * good    -r|
 * bad     -#
 * second  -s|
 * > fallbackEach((value) => (value === 'b' ? bad : good), () => second, { concurrency: 1 })
 * output  -r----s--r--|
 * ```
 *
 * @example
 * ```ts
 * const primary = (n: number) => (n === 2 ? throwError(() => 'down') : of(`${n} by primary`));
 * range(1, 3)
 *   .pipe(fallbackEach(primary, (error, n) => of(`${n} by secondary`), { concurrency: 1 }))
 *   .subscribe(console.log);
 * // → 1 by primary
 * // → 2 by secondary
 * // → 3 by primary
 * ```
 */
export function fallbackEach<T, O extends ObservableInput<unknown>, F extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
  fallback: (error: unknown, value: T) => F,
  config: FallbackEachConfig<T>,
): OperatorFunction<T, ObservedValueOf<O> | ObservedValueOf<F>> {
  const { when = () => true } = config;
  type Result = ObservedValueOf<O> | ObservedValueOf<F>;
  return mergeMapBounded(
    (value: T, index: number): Observable<Result> =>
      call(project, value, index).pipe(
        catchError((error: unknown): Observable<Result> => {
          if (when(error)) return call(() => fallback(error, value), value, index);
          throw error;
        }),
      ),
    config,
  );
}
