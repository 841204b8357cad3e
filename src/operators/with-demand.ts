import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { handOver } from './hand-over.js';

/**
 * Hands on what was asked for, and insists on it: a value without credit ends the stream. For sources that are held
 * back by the same demand, as a guard. (Reactor's `onBackpressureError`.)
 *
 * - each number of `demand` is a credit for so many values; credits add up; `Infinity` is no limit.
 * - on error: passed on. A value without credit is a MILLRACE_E_OPERATOR_OVERFLOW; a credit that is not a positive whole
 *   number is a MILLRACE_E_OPERATOR_DEMAND; an error of the demand is passed on.
 * - on complete: completes. When the demand has completed and the credit is used up it completes too, and the source is
 *   unsubscribed: nobody can ask for more.
 * - never emits a value without credit.
 * - on unsubscribe: source and demand are unsubscribed. Keeps the order. Memory: one number.
 *
 * ```marbles
 * source  -a-b---c-d-
 * demand  2----1-----
 * > withDemand(demand)
 * output  -a-b---c-#
 * where   '#': 'MILLRACE_E_OPERATOR_OVERFLOW'
 * ```
 *
 * @example
 * ```ts
 * const credit$ = new BehaviorSubject(1);
 * range(1, 3)
 *   .pipe(withDemand(credit$))
 *   .subscribe((n) => {
 *     console.log(n);
 *     credit$.next(1);
 *   });
 * // → 1
 * // → 2
 * // → 3
 * ```
 */
export function withDemand<T>(demand: Observable<number>): MonoTypeOperatorFunction<T> {
  return handOver(demand, { maxQueue: 0 });
}
