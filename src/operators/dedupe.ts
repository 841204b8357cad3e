import type { LogEvent } from '../model/event.js';
import type { Json } from '../model/json.js';
import { keyOf, timeOf } from './event-key.js';
import { forgetOldest, rememberingStage } from './remembering.js';
import type { Judge, RememberingStage } from './remembering.js';

/** What makes two events the same. */
export interface DedupeConfig {
  /** Events with the same values of all these fields are the same. */
  readonly by: readonly string[];
  /** Only within this time of the first one, by `@timestamp`. Default: as long as the key is remembered. */
  readonly withinMs?: number;
  /** How many keys are remembered; those not seen for longest are forgotten. Default 10 000. */
  readonly maxKeys?: number;
}

class Seen implements Judge {
  readonly #keyOf: (event: LogEvent) => string | undefined;
  readonly #withinMs: number | undefined;
  readonly #maxKeys: number;
  /** The time of the first event, by key, those seen last at the end. */
  readonly #firsts: Map<string, number>;

  constructor({ by, withinMs, maxKeys = 10_000 }: DedupeConfig, saved: Json | undefined) {
    this.#keyOf = keyOf(by);
    this.#withinMs = withinMs;
    this.#maxKeys = maxKeys;
    this.#firsts = new Map(saved as [string, number][] | undefined);
  }

  admits(event: LogEvent): boolean {
    const key = this.#keyOf(event);
    const time = this.#withinMs === undefined ? 0 : timeOf(event);
    if (key === undefined || time === undefined) return true;
    const first = this.#firsts.get(key);
    const isSame = first !== undefined && Math.abs(time - first) < (this.#withinMs ?? Infinity);
    this.#firsts.delete(key);
    this.#firsts.set(key, isSame ? first : Math.max(time, first ?? time));
    forgetOldest(this.#firsts, this.#maxKeys);
    return !isSame;
  }

  capture(): Json {
    return [...this.#firsts];
  }
}

/**
 * Lets the first of the events through that have the same values of some fields; the others are reported to their origin
 * as filtered. With `withinMs` the next one goes on when that much event time has passed since the last that did.
 * For values of any kind, in a stream of your own, there is `distinctWithin`: by the clock, and forgotten with the subscription.
 *
 * - an event that has none of the fields, or with `withinMs` no readable `@timestamp`, goes on: what is dropped is
 *   certainly a repetition. A key that was forgotten is new again.
 * - the same `event.id` gets the same answer in a replay: in a pipeline the memory is part of the checkpoint.
 * - never emits a second event of a key that is remembered, and changes none.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order.
 * - memory: `maxKeys` keys of at most 120 characters; in the checkpoint as many bytes and 5 to 20 more a key, and 5 bytes
 *   for each event between this stage and the slowest sink.
 *
 * ```marbles
 * source  -a-b-c-|
 * > dedupe({ by: ['message'] })
 * output  -a-b---|
 * where   a: event({ message: 'disk is full' }), b: event({ message: 'all is well' }), c: event({ message: 'disk is full' })
 * ```
 *
 * @example
 * ```ts
 * events('disk is full', 'disk is full', 'all is well')
 *   .pipe(dedupe({ by: ['message'] }))
 *   .subscribe((event) => console.log(event.get('message')));
 * // → disk is full
 * // → all is well
 * ```
 */
export function dedupe(config: DedupeConfig): RememberingStage {
  const { by } = config;
  return rememberingStage({ name: `dedupe(${by.join()})`, begin: (saved) => new Seen(config, saved) });
}
