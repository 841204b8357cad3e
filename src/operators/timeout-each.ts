import { asyncScheduler, catchError } from 'rxjs';
import type { Observable, ObservableInput, ObservedValueOf, OperatorFunction, SchedulerLike } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { atLeast } from './at-least.js';
import { call } from './call.js';
import { deadline } from './deadline.js';
import { mergeMapBounded } from './merge-map-bounded.js';
import type { MergeLimits } from './merge-map-bounded.js';

/** How long each call may take. */
export interface TimeoutEachConfig<T, F extends ObservableInput<unknown> = never> extends MergeLimits<T> {
  /** A call that has not completed after so long is cancelled. */
  readonly maxMs: number;
  /** What to go on with then, for this value only. Default: a MILLRACE_E_OPERATOR_TIMEOUT ends the stream. */
  readonly instead?: (value: T) => F;
}

/**
 * Calls `project` for each value, and gives each call so much time to complete. (RxJS's `timeout` looks at the gaps
 * between values, and knows nothing of calls.)
 *
 * - on error: of the source or of a call: passed on. A call that takes too long is cancelled: a
 *   MILLRACE_E_OPERATOR_TIMEOUT (transient), or `instead`.
 * - on complete: completes when every call is done. On unsubscribe: calls and timers are cancelled.
 * - results of a call that came before its time was up stay. The time begins when the call starts, not while it waits.
 * - never emits anything of a call after its time was up.
 * - emits in the order in which results come. Memory: `maxQueue` values, `concurrency` calls.
 *
 * ```marbles
 * source  a---b-------|
 * quick   -r|
 * slow    -----r|
 * > timeoutEach((value) => (value === 'a' ? quick : slow), { maxMs: 3, concurrency: 2, instead: () => of('late') })
 * output  -r-----x----|
 * slow.subs ----^--!
 * where   x: 'late'
 * ```
 *
 * @example
 * ```ts
 * of(10, 500)
 *   .pipe(timeoutEach((ms) => of(`answer after ${ms}`).pipe(delay(ms)), { maxMs: 100, concurrency: 2, instead: () => of('no answer') }))
 *   .subscribe(console.log);
 * // → answer after 10
 * // → no answer
 * ```
 */
export function timeoutEach<T, O extends ObservableInput<unknown>, F extends ObservableInput<unknown> = never>(
  project: (value: T, index: number) => O,
  config: TimeoutEachConfig<T, F>,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, ObservedValueOf<O> | ObservedValueOf<F>> {
  const { maxMs, instead } = config;
  atLeast(0, { maxMs });
  type Result = ObservedValueOf<O> | ObservedValueOf<F>;
  return mergeMapBounded((value: T, index: number): Observable<Result> => {
    // Made only when it is needed: an error's stack costs more than the call.
    let late: MillraceError | undefined;
    const tooLate = (): MillraceError =>
      (late = new MillraceError('MILLRACE_E_OPERATOR_TIMEOUT', `more than ${maxMs} ms`));
    const inTime = call(project, value, index).pipe(deadline(maxMs, tooLate, scheduler));
    if (instead === undefined) return inTime;
    return inTime.pipe(
      // Only for this call's own lateness, not for a timeout inside of it.
      catchError((error: unknown) => {
        if (late !== undefined && error === late) return call(instead, value, index);
        throw error;
      }),
    );
  }, config);
}
