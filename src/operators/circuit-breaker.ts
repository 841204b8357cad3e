import { asyncScheduler, Observable } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import type { Circuit } from './circuit.js';
import { listen } from './listen.js';

/**
 * Asks a circuit before the source is subscribed, and tells it how that ended: one subscription is one call. While too
 * many calls fail, further ones are rejected without being tried, so that what is down can come up again.
 *
 * - on error: counted as a failure (unless `isFailure` says no) and passed on. A rejected call is a
 *   MILLRACE_E_CIRCUIT_OPEN (transient); its source is not subscribed.
 * - on complete: counted as a success. On unsubscribe: counted as neither; a half-open circuit gets the permission back.
 * - the circuit is shared by all calls that are given it, and keeps their state; nothing else is shared.
 * - never emits anything of a call that was rejected.
 * - values pass through in order. Memory: none of its own.
 *
 * ```marbles
 * source  f-f-g-g-----g-|
 * bad     #
 * good    r|
 * > (calls) => defer(() => of(new Circuit({ minCalls: 2, openMs: 6 }))).pipe(mergeMap((circuit) => calls.pipe(
 * >   concatMap((call) => (call === 'f' ? bad : good).pipe(circuitBreaker(circuit), catchError(() => of('x')))))))
 * output  x-x-x-x-----r-|
 * bad.subs   (^!)
 * bad.subs   --(^!)
 * good.subs  ------------^!
 * ```
 *
 * @example
 * ```ts
 * const circuit = new Circuit({ minCalls: 2, openMs: 1000 });
 * const request = (n: number) => (n < 4 ? throwError(() => 'down') : of(`answer ${n}`));
 * concat(of(1, 2, 3), of(4).pipe(delay(1000)))
 *   .pipe(
 *     concatMap((n) =>
 *       request(n).pipe(
 *         circuitBreaker(circuit),
 *         catchError((error: unknown) => of(`${n}: ${error instanceof MillraceError ? error.code : String(error)}`)),
 *       ),
 *     ),
 *   )
 *   .subscribe(console.log);
 * // → 1: down
 * // → 2: down
 * // → 3: MILLRACE_E_CIRCUIT_OPEN
 * // → answer 4
 * ```
 */
export function circuitBreaker<T>(
  circuit: Circuit,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      const permission = circuit.admit(scheduler.now());
      if (permission === undefined) {
        subscriber.error(new MillraceError('MILLRACE_E_CIRCUIT_OPEN'));
        return;
      }
      let hasEnded = false;
      // Before what follows hears of it: it may try again at once.
      const settle = (hasFailed: boolean): void => {
        hasEnded = true;
        circuit.settle(permission, hasFailed, scheduler.now());
      };
      subscriber.add(() => {
        if (!hasEnded) circuit.release(permission);
      });
      listen(source, subscriber, {
        next: (value) => subscriber.next(value),
        error: (error) => {
          settle(circuit.isFailure(error));
          subscriber.error(error);
        },
        complete: () => {
          settle(false);
          subscriber.complete();
        },
      });
    });
}
