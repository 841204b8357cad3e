import { catchError } from 'rxjs';
import type { ObservableInput, ObservedValueOf, OperatorFunction } from 'rxjs';

/** Which errors lead to the fallback. */
export interface FallbackConfig {
  /** Errors for which this says false are passed on. Default: every error leads to the fallback. */
  readonly when?: (error: unknown) => boolean;
}

/**
 * Goes on with another Observable when the source errors, and only then. (`onErrorResumeNext` goes on after success
 * too, so as a fallback for a sink it would send every good record to both.)
 *
 * - on error: subscribes to what `fallback` gives for the error; an error of the fallback, or a throw in `fallback` or
 *   `when`, is passed on.
 * - on complete: completes; the fallback is not subscribed.
 * - on unsubscribe: whichever of the two is running is unsubscribed.
 * - values that came before the error stay; nothing is repeated.
 * - never emits anything of the fallback before the source has failed; keeps the order of each.
 * - memory: none.
 *
 * ```marbles
 * source     -a-b-#
 * secondary       --c-d|
 * > fallbackTo(() => secondary)
 * output          -a-b---c-d|
 * secondary.subs  -----^----!
 * ```
 *
 * @example
 * ```ts
 * const primary$ = concat(of('a'), throwError(() => new Error('down')));
 * primary$.pipe(fallbackTo(() => of('b'), { when: (error) => error instanceof Error })).subscribe(console.log);
 * // → a
 * // → b
 * ```
 */
export function fallbackTo<T, O extends ObservableInput<unknown>>(
  fallback: (error: unknown) => O,
  config: FallbackConfig = {},
): OperatorFunction<T, T | ObservedValueOf<O>> {
  const { when = () => true } = config;
  return catchError((error: unknown) => {
    if (when(error)) return fallback(error);
    throw error;
  });
}
