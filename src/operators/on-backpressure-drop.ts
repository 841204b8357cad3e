import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { handOver } from './hand-over.js';

/** Who hears of what is dropped. */
export interface BackpressureDropConfig<T> {
  readonly onDrop?: (value: T) => void;
}

/**
 * Hands on what was asked for; what comes when nobody has asked is dropped.
 *
 * - each number of `demand` is a credit for so many values; credits add up; `Infinity` is no limit.
 * - on error and on complete: passed on at once. An error of the demand is passed on; a credit that is not a positive
 *   whole number is a MILLRACE_E_OPERATOR_DEMAND.
 * - when the demand has completed and the credit is used up it completes, and the source is unsubscribed.
 * - on unsubscribe: source and demand are unsubscribed.
 * - never emits a value without credit, and never one that came before its credit.
 * - keeps the order. Memory: one number. A throw in `onDrop` is an error notification.
 *
 * ```marbles
 * source  abc---de-|
 * demand  1---1-----
 * > onBackpressureDrop(demand)
 * output  a-----d--|
 * ```
 *
 * @example
 * ```ts
 * range(1, 4)
 *   .pipe(onBackpressureDrop(concat(of(2), NEVER), { onDrop: (n) => console.log(`dropped ${n}`) }))
 *   .subscribe(console.log);
 * // → 1
 * // → 2
 * // → dropped 3
 * // → dropped 4
 * ```
 */
export function onBackpressureDrop<T>(
  demand: Observable<number>,
  config: BackpressureDropConfig<T> = {},
): MonoTypeOperatorFunction<T> {
  return handOver(demand, { ...config, maxQueue: 0, overflow: 'dropNewest' });
}
