import { Tally } from '../../src/flow/tally.js';
import { LogEvent } from '../../src/model/event.js';

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

/** `fields`: those of the origin, as a source's `fields` are. */
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
