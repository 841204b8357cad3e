import {
  catchError,
  concatMap,
  connect,
  defer,
  endWith,
  from,
  identity,
  ignoreElements,
  map,
  merge,
  of,
  reduce,
  tap,
} from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import type { Batch, Lane, LogRecord } from '../model/batch.js';
import { MillraceError, messageOf } from '../model/errors.js';
import { LogEvent, rawShape } from '../model/event.js';
import type { Origin } from '../model/event.js';
import { isStage } from '../operators/stage.js';
import { counted } from './counted.js';
import { recordAt } from './record-at.js';
import { Tally } from './tally.js';

type EventOperator = OperatorFunction<LogEvent, LogEvent>;

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

function chain(operators: readonly EventOperator[]): EventOperator {
  const counting = operators.map((operator) => (isStage(operator) ? operator : counted(operator)));
  return (source) => counting.reduce((events, operator) => operator(events), source);
}

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

/**
 * Puts stages and routes together: the common stages first, then each route's own on its own copy of the events.
 *
 * - a throw in a stage discards the batch's output and counts, and the batch is run again record by record; the record
 *   that throws becomes a dead letter (MILLRACE_E_STAGE_THREW) and the others go on.
 * - memory: the events that came through, until they are delivered.
 */
export function transform(stages: readonly EventOperator[], routes: readonly Route[]): Transform {
  const common = chain(stages);
  const ways = routes.map((route) => chain(route.stages));

  const run = (lane: Lane, batch: Batch, records: readonly LogRecord[]): Observable<Transformed> =>
    defer(() => {
      const { origin, tally } = originOf(lane, records);
      // A single route shares the common origin and outcome: nothing has to be kept apart.
      const outputs = ways.map(() => ({ events: [] as LogEvent[], ...originOf(lane, records) }));
      const [only, ...others] = outputs.map((output, at): EventOperator => {
        const own = ways.length === 1 ? identity : map((event: LogEvent) => event.from(output.origin));
        const way = ways[at] ?? identity;
        return (events) => way(own(events)).pipe(tap((event) => output.events.push(event)));
      });
      const events = common(
        from(usable(records, origin)).pipe(
          map((record) => new LogEvent(origin, record.offset, 0, rawShape, [record.text])),
        ),
      );
      const routed =
        only === undefined || others.length === 0
          ? (only ?? identity)(events)
          : events.pipe(connect((shared) => merge(...[only, ...others].map((route) => route(shared)))));
      return routed.pipe(ignoreElements(), endWith({ batch, common: tally, routes: outputs }));
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
