import {
  catchError,
  concatMap,
  connect,
  defer,
  endWith,
  filter,
  from,
  ignoreElements,
  map,
  merge,
  of,
  reduce,
} from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import type { Batch, Lane, LogRecord } from '../model/batch.js';
import { MillraceError, messageOf } from '../model/errors.js';
import { LogEvent, rawShape } from '../model/event.js';
import type { Origin } from '../model/event.js';
import { recordAt } from './record-at.js';
import { Tally } from './tally.js';
import { wayOf } from './way.js';
import type { EventOperator, Way } from './way.js';

/** A way through a pipeline after the common stages. */
export interface Route {
  readonly name: string;
  readonly stages: readonly EventOperator[];
}

/** What the stages made of a batch for one route. */
interface RouteOutput {
  readonly events: LogEvent[];
  readonly tally: Tally;
}

/** A batch after the stages. Held, against the budget, until every leg has its part. */
export interface Transformed {
  readonly batch: Batch;
  /** Outcomes in the common stages: they count for every route. */
  readonly common: Tally;
  /** One for each route, in their order. */
  readonly routes: readonly RouteOutput[];
}

/** Runs a batch through the stages, once. */
export type Transform = (lane: Lane, batch: Batch) => Observable<Transformed>;

/** An origin that counts for itself. */
function originOf(lane: Lane, records: readonly LogRecord[]): { origin: Origin; tally: Tally } {
  const tally = new Tally(
    () => origin,
    (offset) => recordAt(records, offset),
  );
  const origin: Origin = { incarnation: lane.id, fields: lane.fields, outcome: tally };
  return { origin, tally };
}

/** Records that their source knows to be unusable become dead letters here; the others go on. */
function usable(records: readonly LogRecord[], origin: Origin): readonly LogRecord[] {
  if (!records.some((record) => record.fault !== undefined)) return records;
  return records.filter(({ offset, text, fault }) => {
    if (fault !== undefined) origin.outcome.rejected(new LogEvent(origin, offset, 0, rawShape, [text]), fault);
    return fault === undefined;
  });
}

/** Runs events of one kind along a way, and collects what comes out. */
function follow<T>(
  { rest }: Way,
  start: (item: T) => LogEvent | undefined,
  events: LogEvent[],
): OperatorFunction<T, LogEvent[]> {
  return (items) =>
    rest(
      items.pipe(
        map(start),
        filter((event) => event !== undefined),
      ),
    ).pipe(
      reduce((all, event) => {
        all.push(event);
        return all;
      }, events),
    );
}

/**
 * Puts stages and routes together: the common stages first, then each route's own on its own copy of the events.
 *
 * - a throw in a stage discards the batch's output and counts, and the batch is run again record by record; the record
 *   that throws becomes a dead letter (MILLRACE_E_STAGE_THREW) and the others go on.
 * - memory: the events that came through, until they are delivered.
 */
export function transform(stages: readonly EventOperator[], routes: readonly Route[]): Transform {
  const [only] = routes;
  // A single route goes on where the common stages end: nothing has to be kept apart.
  const isSingle = routes.length === 1 && only !== undefined;
  const common = wayOf(isSingle ? [...stages, ...only.stages] : stages);
  const ways = isSingle ? [] : routes.map((route) => wayOf(route.stages));

  const run = (lane: Lane, batch: Batch, records: readonly LogRecord[]): Observable<Transformed> =>
    defer(() => {
      const { origin, tally } = originOf(lane, records);
      const outputs = routes.map(() => ({ events: [] as LogEvent[], ...originOf(lane, records) }));
      const toEvent = (record: LogRecord): LogEvent | undefined =>
        common.first(new LogEvent(origin, record.offset, 0, rawShape, [record.text]));
      const collected: LogEvent[] = isSingle ? (outputs[0]?.events ?? []) : [];
      const routed = connect((shared: Observable<LogEvent>) =>
        merge(
          ...ways.map((way, at) => {
            const output = outputs[at] ?? { origin, events: [] };
            return shared.pipe(follow(way, (event) => way.first(event.from(output.origin)), output.events));
          }),
        ),
      );
      const source = from(usable(records, origin)).pipe(follow(common, toEvent, collected));
      const whole = isSingle ? source : source.pipe(concatMap((events) => from(events).pipe(routed)));
      return whole.pipe(ignoreElements(), endWith({ batch, common: tally, routes: outputs }));
    });

  const runAlone = (lane: Lane, batch: Batch, record: LogRecord): Observable<Transformed> =>
    run(lane, batch, [record]).pipe(
      catchError((error: unknown) => {
        const { origin, tally } = originOf(lane, [record]);
        const reason = new MillraceError('MILLRACE_E_STAGE_THREW', messageOf(error), { cause: error });
        tally.rejected(new LogEvent(origin, record.offset, 0, rawShape, [record.text]), reason);
        return of({ batch, common: tally, routes: ways.map(() => ({ events: [], tally: originOf(lane, []).tally })) });
      }),
    );

  return (lane, batch) =>
    run(lane, batch, batch.records).pipe(
      catchError(() =>
        from(batch.records).pipe(
          concatMap((record) => runAlone(lane, batch, record)),
          reduce(joined),
        ),
      ),
    );
}

/** The outputs of one batch's records, one after the other. */
function joined(all: Transformed, next: Transformed): Transformed {
  all.common.add(next.common);
  all.routes.forEach((output, at) => {
    const further = next.routes[at];
    if (further === undefined) return;
    output.events.push(...further.events);
    output.tally.add(further.tally);
  });
  return all;
}
