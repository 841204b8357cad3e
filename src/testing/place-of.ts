import { Tally } from '../flow/tally.js';
import { LogEvent } from '../model/event.js';

/** Where test events come from: it counts what stages report. */
export interface Place {
  readonly tally: Tally;
  /** An event that nothing was done with yet. */
  raw(text: string): LogEvent;
  /** An event with these fields. */
  event(fields: Readonly<Record<string, unknown>>): LogEvent;
  /** `filtered/expanded/deadLettered`. */
  readonly counts: string;
}

/**
 * A place for log events to come from, for tests of stages. `fields`: those of the origin, as a source's `fields` are.
 *
 * @example
 * ```ts
 * const place = placeOf();
 * of(place.event({ 'log.level': 'WARN' }), place.event({ 'log.level': 'INFO' }))
 *   .pipe(keep({ level: ['WARN'] }))
 *   .subscribe((event) => console.log(event.id, event.get('log.level')));
 * console.log(place.counts);
 * // → i:0 WARN
 * // → 1/0/0
 * ```
 */
export function placeOf(fields: Readonly<Record<string, unknown>> = {}): Place {
  const tally = new Tally();
  const origin = { incarnation: 'i', fields, outcome: tally };
  let offset = 0;
  const raw = (text: string): LogEvent => LogEvent.of(origin, { offset: offset++, text });
  return {
    tally,
    raw,
    event: (own) => raw('').with({ message: undefined, ...own }),
    get counts() {
      return `${tally.filteredCount}/${tally.expandedCount}/${tally.deadLetters.length}`;
    },
  };
}
