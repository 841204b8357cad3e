import { concat, concatMap, defer, EMPTY, from, map, toArray } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import type { LogEvent } from '../model/event.js';

interface Entered {
  readonly event: LogEvent;
  emitted: number;
}

/**
 * Counts for an operator that does not do it itself, RxJS's own `filter` and `map` too: ids that went in and did not
 * come out are filtered; ids that came out more than once are expanded, and get a number that no other event of their
 * record has.
 *
 * - all events are collected before the operator sees the first: also one that completes early (`take`) or subscribes
 *   twice is counted exactly, and numbers stay apart.
 * - on error: passed on; the batch's counts are discarded with it. Memory: the events and ids of one batch.
 * - an event that did not come in is an error: it belongs to no record, so nobody could acknowledge it.
 */
export function counted(operator: OperatorFunction<LogEvent, LogEvent>): OperatorFunction<LogEvent, LogEvent> {
  return (source) =>
    source.pipe(
      toArray(),
      concatMap((events) => countedAll(events, operator)),
    );
}

function countedAll(events: readonly LogEvent[], operator: OperatorFunction<LogEvent, LogEvent>): Observable<LogEvent> {
  const entered = new Map<string, Entered>();
  const lastIndex = new Map<number, number>();
  for (const event of events) {
    entered.set(event.id, { event, emitted: 0 });
    lastIndex.set(event.offset, Math.max(event.index, lastIndex.get(event.offset) ?? 0));
  }
  const out = from(events).pipe(
    operator,
    map((event) => {
      const known = entered.get(event.id);
      if (known === undefined) throw new MillraceError('MILLRACE_E_STAGE_FOREIGN_EVENT', event.id);
      known.emitted++;
      if (known.emitted === 1) return event;
      known.event.origin.outcome.expanded(1);
      const index = (lastIndex.get(event.offset) ?? 0) + 1;
      lastIndex.set(event.offset, index);
      return event.nth(index);
    }),
  );
  const report = defer(() => {
    for (const { event, emitted } of entered.values()) if (emitted === 0) event.origin.outcome.filtered();
    return EMPTY;
  });
  return concat(out, report);
}
