import { stage } from './stage.js';
import type { Stage } from './stage.js';

/** What happens to an event's own fields: first renamed, then removed, then set. */
export interface FieldsConfig {
  /** From the old name to the new one. A field that is not there is not renamed. */
  readonly rename?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  readonly set?: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * Renames, removes and sets fields.
 *
 * - never emits an event more or less than it was given.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order, emits every event. Memory: none.
 *
 * ```marbles
 * source  -a-b-|
 * > fields({ rename: { msg: 'message' }, set: { 'service.name': 'shop' } })
 * output  -x-y-|
 * where   a: event({ msg: 'm' }), x: { message: 'm', 'service.name': 'shop' }
 * where   b: event({ n: 1 }), y: { n: 1, 'service.name': 'shop' }
 * ```
 *
 * @example
 * ```ts
 * events('{"msg":"started"}')
 *   .pipe(parse({ format: 'json' }), fields({ rename: { msg: 'message' }, set: { 'service.name': 'shop' } }))
 *   .subscribe((event) => console.log(event.fields));
 * // → { message: 'started', 'service.name': 'shop' }
 * ```
 */
export function fields({ rename = {}, remove = [], set = {} }: FieldsConfig): Stage {
  const renames = Object.entries(rename);
  const removed = Object.fromEntries(remove.map((key) => [key, undefined]));
  return stage((event) => {
    const changes: Record<string, unknown> = {};
    for (const [from, to] of renames) {
      const value = event.get(from);
      if (value === undefined) continue;
      if (!Object.hasOwn(changes, from)) changes[from] = undefined;
      changes[to] = value;
    }
    return event.with({ ...changes, ...removed, ...set });
  });
}
