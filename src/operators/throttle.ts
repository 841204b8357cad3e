import type { LogEvent } from '../model/event.js';
import type { Json } from '../model/json.js';
import { keyOf, timeOf } from './event-key.js';
import { forgetOldest, rememberingStage } from './remembering.js';
import type { Judge, RememberingStage } from './remembering.js';

/** How many events may pass. */
export interface ThrottleConfig {
  /** Each combination of values of these fields is counted for itself. Default: all events together. */
  readonly by?: readonly string[];
  /** Events of a key in one window. */
  readonly max: number;
  /** How long a window is, in event time. */
  readonly perMs: number;
  /** How many keys are remembered; those not seen for longest are forgotten. Default 10 000. */
  readonly maxKeys?: number;
}

/** When the window of a key began, and how many events it let through. */
type Window = readonly [startMs: number, count: number];

class Windows implements Judge {
  readonly #config: ThrottleConfig;
  readonly #keyOf: (event: LogEvent) => string | undefined;
  /** By key, those seen last at the end. */
  readonly #windows: Map<string, Window>;

  constructor(config: ThrottleConfig, saved: Json | undefined) {
    this.#config = config;
    this.#keyOf = keyOf(config.by ?? []);
    this.#windows = new Map(saved as [string, Window][] | undefined);
  }

  admits(event: LogEvent): boolean {
    const { max, perMs, maxKeys = 10_000 } = this.#config;
    const time = timeOf(event);
    if (time === undefined) return true;
    const key = this.#keyOf(event) ?? '';
    const window = this.#windows.get(key);
    const isNew = window === undefined || time - window[0] >= perMs;
    const [start, count] = isNew ? [time, 0] : window;
    const isAdmitted = count < max;
    this.#windows.delete(key);
    this.#windows.set(key, [start, isAdmitted ? count + 1 : count]);
    forgetOldest(this.#windows, maxKeys);
    return isAdmitted;
  }

  capture(): Json {
    return [...this.#windows];
  }
}

/**
 * Lets at most `max` events of a key through in a window of `perMs`; the others are reported to their origin as filtered.
 * A key's window begins with the first event that comes after the last window. Time is event time, `@timestamp`: so a
 * backlog that is read in a second is throttled as it would have been while it was written.
 * For values of any kind, by the clock, there is `throttleByKey`.
 *
 * - an event without a readable `@timestamp` goes on; one that is late is counted in the running window. A key that was
 *   forgotten begins a new window. Events that have none of the fields are counted together.
 * - the same `event.id` gets the same answer in a replay: in a pipeline the memory is part of the checkpoint.
 * - never emits more than `max` events of a key that is remembered in its window, and changes none.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order.
 * - memory: `maxKeys` keys of at most 120 characters; in the checkpoint as many bytes and about 25 more a key, and 5 bytes
 *   for each event between this stage and the slowest sink.
 *
 * ```marbles
 * source  -a-b-c-|
 * > throttle({ by: ['service.name'], max: 1, perMs: 1000 })
 * output  -a---c-|
 * where   a: event({ 'service.name': 'shop', '@timestamp': '2026-01-01T00:00:00.000Z' })
 * where   b: event({ 'service.name': 'shop', '@timestamp': '2026-01-01T00:00:00.500Z' })
 * where   c: event({ 'service.name': 'shop', '@timestamp': '2026-01-01T00:00:01.500Z' })
 * ```
 *
 * @example
 * ```ts
 * events('2026-01-01T00:00:00Z|one', '2026-01-01T00:00:00Z|two', '2026-01-01T00:00:09Z|three')
 *   .pipe(
 *     parse({ format: 'delimited', separator: '|', fields: ['time', 'message'] }),
 *     normalize(),
 *     throttle({ by: ['log.file.path'], max: 1, perMs: 1000 }),
 *   )
 *   .subscribe((event) => console.log(event.get('message')));
 * // → one
 * // → three
 * ```
 */
export function throttle(config: ThrottleConfig): RememberingStage {
  const { by = [] } = config;
  return rememberingStage({ name: `throttle(${by.join()})`, begin: (saved) => new Windows(config, saved) });
}
