import { asyncScheduler, defer, retry } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { backoffWaits } from './backoff.js';
import type { BackoffPolicy } from './backoff.js';

/**
 * Subscribes to the source again after an error, with exponential back-off, jitter, a cap and a budget of tries in a
 * row that is renewed after a stable period.
 *
 * - on error: recoverable errors wait and retry; others are passed on as they are; when the tries or the total time
 *   are used up: MILLRACE_E_RETRY_EXHAUSTED; when the signal is aborted: MILLRACE_E_RETRY_ABORTED; the last error is the
 *   cause of both.
 * - on complete: completes.
 * - on unsubscribe: source and running wait are cancelled.
 * - never repeats or drops a value itself, and keeps the order; what a source emits again after a resubscription comes
 *   again.
 * - memory: three numbers a subscription.
 *
 * ```marbles
 * source  -a#
 * > retryBackoff({ initialMs: 2, jitter: 0, maxTriesInARow: 3 })
 * output  -a---a-----a#
 * subs    ^-!
 * subs    ----^-!
 * subs    ----------^-!
 * where   '#': 'MILLRACE_E_RETRY_EXHAUSTED'
 * ```
 *
 * @example
 * ```ts
 * let tries = 0;
 * const send$ = defer(() => (++tries < 3 ? throwError(() => 'busy') : of('sent')));
 * const waits: number[] = [];
 * const policy = { initialMs: 100, jitter: 0, recoverable: (error: unknown) => error === 'busy' };
 * send$
 *   .pipe(retryBackoff({ ...policy, onRetry: ({ waitMs }) => waits.push(waitMs) }))
 *   .subscribe((answer) => console.log(answer, waits));
 * // → sent [ 100, 200 ]
 * ```
 */
export function retryBackoff<T>(
  policy: BackoffPolicy,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  return (source) => defer(() => source.pipe(retry({ delay: backoffWaits(policy, scheduler) })));
}
