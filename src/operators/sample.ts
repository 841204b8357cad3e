import { hash53, HASHES } from './hash.js';
import { keeping } from './stage.js';
import type { Stage } from './stage.js';

/** How much goes on. */
export interface SampleConfig {
  /** From 0, nothing, to 1, everything. */
  readonly share: number;
  /** A field: events with the same value of it go on together, or none of them. */
  readonly by?: string;
}

/**
 * Lets a share of the events through, by a hash of `event.id`, or of a field so that whole traces stay together; the
 * others are reported to their origin as filtered. An event without the field is judged by its id.
 * (RxJS's `sample` is another thing. For values of any kind there is `sampleRatio`.)
 *
 * - the same event gets the same answer in every run and after every replay; a larger share has all of a smaller one.
 * - never emits an event that was not chosen, and changes none.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order. Memory: none.
 *
 * ```marbles
 * source  -a-b-|
 * > sample({ share: 1 })
 * output  -a-b-|
 * where   a: event({ message: 'a' }), b: event({ message: 'b' })
 * ```
 *
 * @example
 * ```ts
 * events('{"trace.id":"t1"}', '{"trace.id":"t1"}')
 *   .pipe(parse({ format: 'json' }), sample({ share: 1, by: 'trace.id' }))
 *   .subscribe((event) => console.log(event.get('trace.id')));
 * // → t1
 * // → t1
 * ```
 */
export function sample({ share, by }: SampleConfig): Stage {
  const limit = share * HASHES;
  return keeping(
    (event) => {
      const value = by === undefined ? undefined : event.get(by);
      const text = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined);
      return hash53(text ?? event.id) < limit;
    },
    // What it filters would have been filtered by its level too: the count is the same.
    { keepsLevel: true },
  );
}
