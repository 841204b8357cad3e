import { severityOnly, testOf } from './condition.js';
import type { Condition } from './condition.js';
import { keeping } from './stage.js';
import type { Stage } from './stage.js';

/**
 * Lets through the events for which the condition holds; the others are reported to their origin as filtered.
 *
 * - never emits an event for which the condition does not hold, and changes none.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order. Memory: none.
 *
 * ```marbles
 * source  -e-i-w-|
 * > keep({ level: ['ERROR', 'WARN'] })
 * output  -e---w-|
 * where   e: event({ level: 'error' }), i: event({ level: 'INFO' }), w: event({ level: 'WARNING' })
 * ```
 *
 * @example
 * ```ts
 * events('WARN|disk is full', 'INFO|all is well')
 *   .pipe(parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }), keep({ level: ['ERROR', 'WARN'] }))
 *   .subscribe((event) => console.log(event.get('message')));
 * // → disk is full
 * ```
 */
export function keep(condition: Condition): Stage {
  const admits = severityOnly(condition);
  return keeping(testOf(condition), admits === undefined ? {} : { admits });
}
