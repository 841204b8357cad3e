import { catchError, EMPTY } from 'rxjs';
import type { ObservableInput, ObservedValueOf, OperatorFunction } from 'rxjs';
import { call } from './call.js';
import { mergeMapBounded } from './merge-map-bounded.js';
import type { MergeLimits } from './merge-map-bounded.js';

/** A value whose call failed, and why. */
export interface Undeliverable<T> {
  readonly value: T;
  readonly error: unknown;
}

/** Where values go whose call failed: a Subject, or any object with `next`. */
export interface Side<T> {
  next(letter: Undeliverable<T>): void;
}

/**
 * Calls `project` for each value; a value whose call fails goes to the side with its error, and the stream goes on.
 *
 * - on error: of the source: passed on. Of a call, or a throw in `project`: `side.next({ value, error })`. A throw of
 *   the side ends the stream: a dead letter is never lost silently.
 * - on complete: completes when every call is done; the side is not completed, it may serve several streams.
 * - on unsubscribe: calls are cancelled; what is cancelled is no dead letter.
 * - results of a call that came before its error stay. With `concurrency: 1` (the default) the order is kept.
 * - memory: `maxQueue` values, `concurrency` calls.
 *
 * ```marbles
 * source  a-b-c-|
 * good    r|
 * bad     #
 * > deadLetter((value) => (value === 'b' ? bad : good), side)
 * output  r---r-|
 * side    --x
 * where   x: { value: 'b', error: 'error' }
 * ```
 *
 * @example
 * ```ts
 * const side = { next: ({ value, error }: { value: string; error: unknown }) => console.log(`set aside: ${value} (${String(error)})`) };
 * of('1', 'two', '3')
 *   .pipe(deadLetter((text) => (Number.isNaN(Number(text)) ? throwError(() => 'not a number') : of(Number(text))), side))
 *   .subscribe(console.log);
 * // → 1
 * // → set aside: two (not a number)
 * // → 3
 * ```
 */
export function deadLetter<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
  side: Side<T>,
  { concurrency = 1, ...rest }: Partial<MergeLimits<T>> = {},
): OperatorFunction<T, ObservedValueOf<O>> {
  return mergeMapBounded(
    (value: T, index: number) =>
      call(project, value, index).pipe(
        catchError((error: unknown) => {
          side.next({ value, error });
          return EMPTY;
        }),
      ),
    { ...rest, concurrency },
  );
}
