import { asyncScheduler, catchError, defer } from 'rxjs';
import type { ObservableInput, ObservedValueOf, OperatorFunction, SchedulerLike } from 'rxjs';
import type { BackoffPolicy } from './backoff.js';
import { retryBackoff } from './retry-backoff.js';

/** What may be tried again, what comes instead, and who is told. */
export interface RecoverConfig<O extends ObservableInput<unknown>> extends Omit<BackoffPolicy, 'recoverable'> {
  /** True: trying again may help. False: the stream ends, and `notify` hears of it. */
  readonly recoverable: (error: unknown) => boolean;
  /** What to go on with when every try has failed, with less quality: a cache, a default. */
  readonly degrade: (error: unknown) => O;
  /** Hears of the error that ends the stream: one that is not recoverable, or that of `degrade`. */
  readonly notify: (error: unknown) => void;
}

/**
 * The whole way of an error: a recoverable one is retried with back-off, and when that is used up the stream goes on
 * degraded; any other ends it, and somebody is told.
 *
 * - on error: recoverable: waits and subscribes again; after `maxTriesInARow` or `maxTotalMs`: `degrade`, with the
 *   MILLRACE_E_RETRY_EXHAUSTED. Not recoverable, or an error of `degrade`: `notify`, then passed on. Without
 *   `maxTriesInARow` and `maxTotalMs` it never degrades.
 * - on complete: completes. On unsubscribe: source, wait or degraded source are cancelled; nobody is told.
 * - values that came before an error stay; what a source emits again after a resubscription comes again.
 * - never emits anything of `degrade` while there are tries left. Keeps the order.
 * - memory: three numbers. A throw in a callback is an error notification; one of `notify` replaces the error.
 *
 * ```marbles
 * source  -a#
 * cache   -c|
 * > recoverOrTerminate({ recoverable: () => true, maxTriesInARow: 2, initialMs: 2, jitter: 0, degrade: () => cache, notify: (error) => notes.next(error) })
 * output  -a---a-c|
 * subs    ^-!
 * subs    ----^-!
 * notes   -
 * ```
 *
 * ```marbles
 * source  -a#
 * > recoverOrTerminate({ recoverable: () => false, degrade: () => EMPTY, notify: (error) => notes.next(error) })
 * output  -a#
 * notes   --e
 * where   e: 'error'
 * ```
 *
 * @example
 * ```ts
 * throwError(() => 'busy')
 *   .pipe(
 *     recoverOrTerminate({
 *       recoverable: (error) => error === 'busy',
 *       maxTriesInARow: 3,
 *       degrade: () => of('from the cache'),
 *       notify: (error) => console.log('wake somebody up', error),
 *     }),
 *   )
 *   .subscribe(console.log);
 * // → from the cache
 * ```
 */
export function recoverOrTerminate<T, O extends ObservableInput<unknown>>(
  config: RecoverConfig<O>,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, T | ObservedValueOf<O>> {
  const { degrade, notify, recoverable, ...policy } = config;
  return (source) =>
    defer(() => {
      // Told by our own verdict: an exhausted retry inside the source looks the same as ours.
      let mayDegrade = false;
      const judge = (error: unknown): boolean => (mayDegrade = recoverable(error));
      return source.pipe(
        retryBackoff({ ...policy, recoverable: judge }, scheduler),
        catchError((error: unknown) => {
          if (mayDegrade) return degrade(error);
          throw error;
        }),
        catchError((error: unknown) => {
          notify(error);
          throw error;
        }),
      );
    });
}
