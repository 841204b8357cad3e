import { severityOnly, testOf } from './condition.js';
import type { Condition } from './condition.js';
import { keeping } from './stage.js';
import type { Stage } from './stage.js';

/**
 * Lets through the events for which the condition holds; the others are reported to their origin as filtered.
 *
 * - on error, on complete, on unsubscribe: as the source. Keeps the order. Memory: none.
 *
 * @example
 * ```ts
 * events$.pipe(keep({ level: ['ERROR', 'WARN'] }))
 * ```
 */
export function keep(condition: Condition): Stage {
  const admits = severityOnly(condition);
  return keeping(testOf(condition), admits === undefined ? {} : { admits });
}
