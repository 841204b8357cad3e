import { defer, EMPTY, concat, map, tap } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import type { LogEvent, Outcome } from '../model/event.js';

/**
 * Counts for an operator that does not do it itself, RxJS's own `filter` and `map` too: ids that went in and did not
 * come out are filtered; ids that came out more than once are expanded, and get a number so that they stay apart.
 *
 * - on error: passed on; the batch's counts are discarded with it. Memory: the ids of one batch.
 * - an event that did not come in is an error: it belongs to no record, so nobody could acknowledge it.
 */
export function counted(operator: OperatorFunction<LogEvent, LogEvent>): OperatorFunction<LogEvent, LogEvent> {
  return (source) =>
    defer(() => {
      const outcomes = new Map<string, { readonly event: LogEvent; readonly outcome: Outcome; emitted: number }>();
      const out = source.pipe(
        tap((event) => outcomes.set(event.id, { event, outcome: event.origin.outcome, emitted: 0 })),
        operator,
        map((event) => {
          const known = outcomes.get(event.id);
          if (known === undefined) throw new MillraceError('MILLRACE_E_STAGE_FOREIGN_EVENT', event.id);
          known.emitted++;
          if (known.emitted === 1) return event;
          known.outcome.expanded(1);
          return event.nth(event.index + known.emitted - 1);
        }),
      );
      const report: Observable<never> = defer(() => {
        for (const { event, outcome, emitted } of outcomes.values()) if (emitted === 0) outcome.filtered(event);
        return EMPTY;
      });
      return concat(out, report);
    });
}
