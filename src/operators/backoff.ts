import {
  asyncScheduler,
  concatMap,
  defer,
  fromEvent,
  map,
  merge,
  Observable,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { MillraceError, messageOf } from '../model/errors.js';

/** One failed try, as `onRetry` hears of it. */
export interface FailedTry {
  readonly error: unknown;
  /** Failed tries in a row, this one included: 1 for the first. */
  readonly triesInARow: number;
  /** How long until the next try. */
  readonly waitMs: number;
}

/** When to try again, and when to give up. An immutable value: one policy may serve any number of streams. */
export interface BackoffPolicy {
  /** The wait after the first failure; doubled after each further one. Default 100. */
  readonly initialMs?: number;
  /** No wait is longer. Default 30 000. */
  readonly maxMs?: number;
  /**
   * `full` (default): between 0 and the exponential wait, evenly. A number j between 0 and 1: the exponential wait
   * times 1 ± j, clamped to `initialMs` … `maxMs`. 0: no jitter.
   */
  readonly jitter?: 'full' | number;
  /** This many failures in a row end it, the first try included. Default: no limit. */
  readonly maxTriesInARow?: number;
  /** When the next try would start later than this after the first failure in a row, it ends instead. Default: no limit. */
  readonly maxTotalMs?: number;
  /** A stream that lasted this long after a retry starts counting at one again. Default 60 000. */
  readonly stableMs?: number;
  /** Errors for which this says false are passed on at once. Default: all are recoverable. */
  readonly recoverable?: (error: unknown) => boolean;
  /** Cuts every running wait short when it emits: the next try starts at once. Must not replay what it emitted. */
  readonly wake?: Observable<unknown>;
  /** When it is aborted there are no more tries: a running wait, or the next failure, is the end. */
  readonly signal?: AbortSignal;
  /** Hears of every failed try that will be followed by another. */
  readonly onRetry?: (failed: FailedTry) => void;
  /** Source of randomness: 0 ≤ x < 1. Default Math.random. */
  readonly random?: () => number;
}

// The one place where randomness enters the pack: the default of a parameter.
// eslint-disable-next-line no-restricted-properties
const defaultRandom = Math.random;

/** Beyond every cap. */
const MAX_EXPONENT = 1000;

/**
 * The wait in milliseconds after the n-th failure in a row (n from 1): min(maxMs, initialMs · 2^(n−1)), with jitter.
 * Source: Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
 *
 * @example
 * ```ts
 * console.log([1, 2, 3, 4].map((n) => backoffMs({ initialMs: 100, maxMs: 500, jitter: 0 }, n)));
 * // → [ 100, 200, 400, 500 ]
 * ```
 */
export function backoffMs(
  policy: BackoffPolicy,
  triesInARow: number,
  random: () => number = policy.random ?? defaultRandom,
): number {
  const { initialMs = 100, maxMs = 30_000, jitter = 'full' } = policy;
  // Bounded, so that no number of tries makes it infinite: 0 · ∞ is no wait at all.
  const exponential = Math.min(maxMs, initialMs * 2 ** Math.min(triesInARow - 1, MAX_EXPONENT));
  if (jitter === 'full') return random() * exponential;
  if (jitter === 0) return exponential;
  const spread = exponential * (1 + jitter * (2 * random() - 1));
  return Math.min(maxMs, Math.max(initialMs, spread));
}

/** What is known of the failures in a row when the last one is judged. */
interface Row {
  readonly triesInARow: number;
  /** How long ago the first one was. */
  readonly sinceFirstMs: number;
}

function aborted(error: unknown): MillraceError {
  return new MillraceError('MILLRACE_E_RETRY_ABORTED', undefined, { cause: error });
}

/** Waits as the policy says for the n-th failure in a row, then emits it once; errors when the policy gives up. */
function waitFor(
  policy: BackoffPolicy,
  error: unknown,
  { triesInARow, sinceFirstMs }: Row,
  scheduler: SchedulerLike,
): Observable<FailedTry> {
  // Passed on as it is, whatever was thrown.
  if (policy.recoverable?.(error) === false) return new Observable((subscriber) => subscriber.error(error));
  const { maxTriesInARow = Infinity, maxTotalMs = Infinity, wake, signal, onRetry } = policy;
  const exhausted = (detail: string): Observable<never> => {
    const why = `${detail}, the last: ${messageOf(error)}`;
    return throwError(() => new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', why, { cause: error }));
  };
  if (signal?.aborted === true) return throwError(() => aborted(error));
  if (triesInARow >= maxTriesInARow) return exhausted(`${triesInARow} in a row`);
  const waitMs = backoffMs(policy, triesInARow);
  if (sinceFirstMs + waitMs > maxTotalMs) return exhausted(`${triesInARow} in a row within ${maxTotalMs} ms`);
  const failed: FailedTry = { error, triesInARow, waitMs };
  onRetry?.(failed);
  const ends: Observable<unknown>[] = [timer(waitMs, scheduler)];
  // Not `race`: a wake that completes would win it, and the source would be taken for complete.
  if (wake !== undefined) ends.push(wake);
  if (signal !== undefined) ends.push(abortOf(signal, error));
  return merge(...ends).pipe(
    take(1),
    map(() => failed),
  );
}

function abortOf(signal: AbortSignal, error: unknown): Observable<never> {
  return fromEvent(signal, 'abort').pipe(
    map(() => {
      throw aborted(error);
    }),
  );
}

/**
 * The delay for `retry({ delay: backoffDelay(policy) })`. Stateless, so it may be shared; without the reset after
 * `stableMs` and without `maxTotalMs`, because `retry` counts over the whole life of the subscription and tells no time.
 *
 * - on error: a recoverable error waits; any other, the last of `maxTriesInARow`, and an aborted `signal` end the stream.
 * - on complete: it has no part in it. On unsubscribe: a running wait is cancelled.
 * - never emits before the wait is over, and keeps the order: `retry` has one error at a time. Memory: none.
 *
 * ```marbles
 * source  -a#
 * > retry({ delay: backoffDelay({ initialMs: 2, jitter: 0, maxTriesInARow: 3 }) })
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
 * const request$ = defer(() => (++tries < 3 ? throwError(() => 'busy') : of(`done after ${tries} tries`)));
 * request$.pipe(retry({ delay: backoffDelay({ initialMs: 200, maxTriesInARow: 3 }) })).subscribe(console.log);
 * // → done after 3 tries
 * ```
 */
export function backoffDelay(
  policy: Omit<BackoffPolicy, 'maxTotalMs'>,
  scheduler: SchedulerLike = asyncScheduler,
): (error: unknown, retryCount: number) => Observable<FailedTry> {
  const { maxTotalMs: _unknown, ...stateless } = policy as BackoffPolicy;
  return (error, retryCount) => waitFor(stateless, error, { triesInARow: retryCount, sinceFirstMs: 0 }, scheduler);
}

/**
 * The waits of one subscription: give it each error, and subscribe to the source again when the answer emits.
 * Holds the count of failures in a row, so every subscription needs its own.
 */
export function backoffWaits(
  policy: BackoffPolicy,
  scheduler: SchedulerLike,
): (error: unknown) => Observable<FailedTry> {
  const { stableMs = 60_000 } = policy;
  let triesInARow = 0;
  let firstFailedAt = 0;
  let restartedAt = Infinity;
  return (error) => {
    const now = scheduler.now();
    triesInARow = now - restartedAt >= stableMs ? 1 : triesInARow + 1;
    if (triesInARow === 1) firstFailedAt = now;
    const row = { triesInARow, sinceFirstMs: now - firstFailedAt };
    return waitFor(policy, error, row, scheduler).pipe(tap(() => (restartedAt = scheduler.now())));
  };
}

/**
 * The notifier for `retryWhen(backoff(policy))`: every error waits 2^n with a cap and jitter, then lets the source be
 * subscribed again. (`retryWhen` is deprecated in RxJS 7; `retryBackoff(policy)` does the same and stays.)
 *
 * - on error: errors that are not recoverable are passed on as they are; after `maxTriesInARow` failures, or
 *   `maxTotalMs`, a MILLRACE_E_RETRY_EXHAUSTED, and when `signal` is aborted a MILLRACE_E_RETRY_ABORTED, with the last
 *   error as the cause.
 * - emits the failed try when the next one may start: a value for each attempt, for metrics.
 * - the exponent starts anew only when the source lasted `stableMs` since it was subscribed again, so a source that
 *   flaps does not retry at the smallest wait for ever.
 * - on complete: completes with the errors. Never emits before the wait is over; keeps the order of the errors.
 * - on unsubscribe: a running wait is cancelled.
 * - memory: three numbers a subscription.
 *
 * ```marbles
 * source  -#
 * > retryWhen(backoff({ initialMs: 2, jitter: 0 }))
 * output  ------------------
 * subs    ^!
 * subs    ---^!
 * subs    --------^!
 * unsub   ----------------!
 * ```
 *
 * @example
 * ```ts
 * let tries = 0;
 * const source$ = defer(() => (++tries < 3 ? throwError(() => 'busy') : of('done')));
 * source$.pipe(retryWhen(backoff({ initialMs: 100, maxMs: 30_000 }))).subscribe(console.log);
 * // → done
 * ```
 */
export function backoff(
  policy: BackoffPolicy,
  scheduler: SchedulerLike = asyncScheduler,
): (errors: Observable<unknown>) => Observable<FailedTry> {
  return (errors) => defer(() => errors.pipe(concatMap(backoffWaits(policy, scheduler))));
}
