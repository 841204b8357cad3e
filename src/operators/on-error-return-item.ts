import { of } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { fallbackTo } from './fallback-to.js';
import type { FallbackConfig } from './fallback-to.js';

/**
 * Ends with a value instead of an error. (RxJava's name.)
 *
 * - on error: emits the item and completes; an error that `when` says false for is passed on, and so is a throw of it.
 * - never emits an error for which `when` holds.
 * - on complete, on unsubscribe: as the source; the item does not come. Keeps the order. Memory: the item.
 *
 * ```marbles
 * source  -a-b-#
 * > onErrorReturnItem('x')
 * output  -a-b-(x|)
 * ```
 *
 * @example
 * ```ts
 * concat(of(1, 2), throwError(() => 'boom')).pipe(onErrorReturnItem('unknown')).subscribe(console.log);
 * // → 1
 * // → 2
 * // → unknown
 * ```
 */
export function onErrorReturnItem<T, R>(item: R, config: FallbackConfig = {}): OperatorFunction<T, T | R> {
  return fallbackTo(() => of(item), config);
}
