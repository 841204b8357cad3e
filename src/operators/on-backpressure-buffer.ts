import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Overflow } from './bounded-queue.js';
import { handOver } from './hand-over.js';

/** How many values may wait for demand, and what happens to one more. */
export interface BackpressureBufferConfig<T> {
  readonly max: number;
  /** Default `error`: a MILLRACE_E_OPERATOR_OVERFLOW. */
  readonly overflow?: Overflow;
  /** Hears of every value that is dropped. */
  readonly onDrop?: (value: T) => void;
}

/**
 * Hands values on as they are asked for; what nobody has asked for yet waits, up to a limit.
 *
 * - each number of `demand` is a credit for so many values; credits add up; `Infinity` is no limit.
 * - on error and on complete: in its place, after the values that wait. An error of the demand is passed on at once; a
 *   credit that is not a positive whole number is a MILLRACE_E_OPERATOR_DEMAND.
 * - when the demand has completed and the credit is used up it completes, and the source is unsubscribed.
 * - on unsubscribe: source and demand are unsubscribed; what waits is dropped.
 * - never emits a value without credit.
 * - keeps the order. Memory: `max` values. A throw in `onDrop` is an error notification.
 *
 * ```marbles
 * source  abcd--------|
 * demand  ------1---5--
 * > onBackpressureBuffer(demand, { max: 2, overflow: 'dropOldest' })
 * output  ------c---d-|
 * ```
 *
 * @example
 * ```ts
 * const credit$ = new Subject<number>();
 * range(1, 5)
 *   .pipe(onBackpressureBuffer(credit$, { max: 3, overflow: 'dropNewest', onDrop: (n) => console.log(`dropped ${n}`) }))
 *   .subscribe(console.log);
 * credit$.next(2);
 * // → dropped 4
 * // → dropped 5
 * // → 1
 * // → 2
 * ```
 */
export function onBackpressureBuffer<T>(
  demand: Observable<number>,
  { max, ...rest }: BackpressureBufferConfig<T>,
): MonoTypeOperatorFunction<T> {
  return handOver(demand, { ...rest, maxQueue: max });
}
