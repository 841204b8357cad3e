import { filter } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { hash53, HASHES } from './hash.js';

/**
 * Lets a share of the keys through, chosen by their hash: all values of a key pass, or none.
 *
 * - the same key gets the same answer in every process and after every replay; a larger ratio has all of a smaller one.
 * - never emits a value of a key that was not chosen.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order. Memory: none.
 * - the share is one of keys, not of values. A throw in `key` is an error notification.
 *
 * ```marbles
 * source  -a-b-c-a-c-|
 * > sampleRatio(0.5, (value) => value)
 * output  -----c---c-|
 * ```
 *
 * @example
 * ```ts
 * range(0, 1000)
 *   .pipe(sampleRatio(0.1, (n) => `trace ${n}`), count())
 *   .subscribe((n) => console.log(n > 70 && n < 130));
 * // → true
 * ```
 */
export function sampleRatio<T>(ratio: number, key: (value: T) => string): MonoTypeOperatorFunction<T> {
  if (!(ratio >= 0 && ratio <= 1)) throw new MillraceError('MILLRACE_E_OPERATOR_OPTION', `ratio is ${ratio}`);
  const limit = ratio * HASHES;
  return filter((value) => hash53(key(value)) < limit);
}
