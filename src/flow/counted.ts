import { concat, concatMap, defer, EMPTY, from, map, toArray } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import type { LogEvent, Origin } from '../model/event.js';

/**
 * Counts for an operator that does not do it itself, RxJS's own `filter` and `map` too: ids that went in and did not
 * come out are filtered; ids that came out more than once are expanded, and get a number that no other event of their
 * record has. What it rejects, because stages of ours are inside it, has come out as a dead letter.
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
      concatMap((events) => new Passage(events).through(operator)),
    );
}

/** The events of one batch on their way through an operator. */
class Passage {
  readonly #events: readonly LogEvent[];
  // By place: two records may carry the same id, when a collector sent one twice.
  readonly #entered = new Map<string, { readonly event: LogEvent; times: number }>();
  readonly #lastIndex = new Map<number, number>();

  constructor(events: readonly LogEvent[]) {
    this.#events = events;
    for (const event of events) {
      this.#entered.set(event.idInOrigin, { event, times: 0 });
      this.#lastIndex.set(event.offset, Math.max(event.index, this.#lastIndex.get(event.offset) ?? 0));
    }
  }

  through(operator: OperatorFunction<LogEvent, LogEvent>): Observable<LogEvent> {
    const inside = new Map<Origin, Origin>();
    const enter = (event: LogEvent): LogEvent => {
      const known = inside.get(event.origin) ?? this.#uncounted(event.origin);
      inside.set(event.origin, known);
      return event.from(known);
    };
    const out = from(this.#events).pipe(
      map(enter),
      operator,
      map((event) => this.#leave(event)),
    );
    const report = defer(() => {
      for (const { event, times } of this.#entered.values()) if (times === 0) event.origin.outcome.filtered();
      return EMPTY;
    });
    return concat(out, report);
  }

  /** Counting is done here, by ids. What a stage inside the operator says would be counted twice. */
  #uncounted(origin: Origin): Origin {
    const rejected = (event: LogEvent, reason: Error): void => origin.outcome.rejected(this.#leave(event), reason);
    return { ...origin, outcome: { filtered: () => undefined, expanded: () => undefined, rejected } };
  }

  #leave(event: LogEvent): LogEvent {
    const known = this.#entered.get(event.idInOrigin);
    if (known === undefined) throw new MillraceError('MILLRACE_E_STAGE_FOREIGN_EVENT', event.id);
    const own = event.from(known.event.origin);
    known.times++;
    if (known.times === 1) return own;
    own.origin.outcome.expanded(1);
    const index = (this.#lastIndex.get(event.offset) ?? 0) + 1;
    this.#lastIndex.set(event.offset, index);
    return own.nth(index);
  }
}
