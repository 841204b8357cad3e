import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { handOver } from './hand-over.js';
import type { BackpressureDropConfig } from './on-backpressure-drop.js';

/**
 * Hands on what was asked for; of what comes when nobody has asked, the latest waits and the others are dropped.
 *
 * - each number of `demand` is a credit for so many values; credits add up; `Infinity` is no limit.
 * - on error and on complete: in its place, after the value that waits. An error of the demand is passed on at once; a
 *   credit that is not a positive whole number is a MILLRACE_E_OPERATOR_DEMAND.
 * - when the demand has completed and the credit is used up it completes, and the source is unsubscribed.
 * - on unsubscribe: source and demand are unsubscribed; the value that waits is dropped.
 * - never emits a value without credit, and never an older one when a newer one has come.
 * - keeps the order. Memory: one value. A throw in `onDrop` is an error notification.
 *
 * ```marbles
 * source  abc---de---|
 * demand  1---1----1--
 * > onBackpressureLatest(demand)
 * output  a---c----e-|
 * ```
 *
 * @example
 * ```ts
 * const credit$ = new Subject<number>();
 * range(1, 4).pipe(onBackpressureLatest(credit$)).subscribe(console.log);
 * credit$.next(1);
 * // → 4
 * ```
 */
export function onBackpressureLatest<T>(
  demand: Observable<number>,
  config: BackpressureDropConfig<T> = {},
): MonoTypeOperatorFunction<T> {
  return handOver(demand, { ...config, maxQueue: 1, overflow: 'dropOldest' });
}
