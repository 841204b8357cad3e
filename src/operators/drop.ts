import { severityOnly, testOf } from './condition.js';
import type { Condition } from './condition.js';
import { keeping } from './stage.js';
import type { Stage } from './stage.js';

/**
 * Takes out the events for which the condition holds and reports them to their origin as filtered.
 *
 * - on error, on complete, on unsubscribe: as the source. Keeps the order. Memory: none.
 *
 * @example
 * ```ts
 * events$.pipe(drop({ field: 'url.path', equals: '/health' }))
 * ```
 */
export function drop(condition: Condition): Stage {
  const test = testOf(condition);
  const drops = severityOnly(condition);
  return keeping((event) => !test(event), drops === undefined ? {} : { admits: (severity) => !drops(severity) });
}
