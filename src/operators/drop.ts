import { severityOnly, testOf } from './condition.js';
import type { Condition } from './condition.js';
import { keeping } from './stage.js';
import type { Stage } from './stage.js';

/**
 * Takes out the events for which the condition holds and reports them to their origin as filtered.
 *
 * - never emits an event for which the condition holds, and changes none.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order. Memory: none.
 *
 * ```marbles
 * source  -a-b-c-|
 * > drop({ field: 'url.path', equals: '/health' })
 * output  -a---c-|
 * where   a: event({ 'url.path': '/' }), b: event({ 'url.path': '/health' }), c: event({})
 * ```
 *
 * @example
 * ```ts
 * events('{"path":"/"}', '{"path":"/health"}')
 *   .pipe(parse({ format: 'json' }), drop({ field: 'path', equals: '/health' }))
 *   .subscribe((event) => console.log(event.fields));
 * // → { path: '/' }
 * ```
 */
export function drop(condition: Condition): Stage {
  const test = testOf(condition);
  const drops = severityOnly(condition);
  return keeping((event) => !test(event), drops === undefined ? {} : { admits: (severity) => !drops(severity) });
}
