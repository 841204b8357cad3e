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
  Observable,
  of,
  reduce,
} from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { Batch, Lane, LogRecord } from '../model/batch.js';
import { MillraceError, messageOf } from '../model/errors.js';
import { LogEvent } from '../model/event.js';
import type { Origin } from '../model/event.js';
import type { Json } from '../model/json.js';
import type { SourceContext } from '../model/source.js';
import { Memories } from './memories.js';
import { Tally } from './tally.js';
import { filterAhead, wayOf } from './way.js';
import type { EventOperator, Way } from './way.js';

/** A way through a pipeline after the common stages. */
export interface Route {
  readonly name: string;
  readonly stages: readonly EventOperator[];
}

/** What the stages made of a batch for one route. */
export interface RouteOutput {
  readonly events: LogEvent[];
  readonly tally: Tally;
}

/** A batch after the stages. Held, against the budget, until every leg has its part. */
export interface Transformed {
  readonly position: number;
  readonly state: Json;
  readonly bytes: number;
  /** How many records it had. Those that nothing came of are not held. */
  readonly read: number;
  /** Outcomes in the common stages: they count for every route. */
  readonly common: Tally;
  /** One for each route, in their order. */
  readonly routes: readonly RouteOutput[];
}

/** Runs a batch through the stages, once. */
export type Transform = (lane: Lane, batch: Batch) => Observable<Transformed>;

/** An origin that counts for itself. */
function originOf(lane: Lane, { arrivals }: Batch): { origin: Origin; tally: Tally } {
  const tally = new Tally();
  return { origin: { incarnation: lane.id, fields: lane.fields, outcome: tally, arrivals }, tally };
}

function tallyOf({ filtered = 0 }: Batch): Tally {
  const tally = new Tally();
  tally.filteredCount = filtered;
  return tally;
}

function endOf(batch: Batch): Pick<Transformed, 'position' | 'state' | 'bytes' | 'read'> {
  const { position, state, bytes, records, filtered = 0 } = batch;
  return { position, state, bytes, read: records.length + filtered };
}

/** The events that the records become: those that come out of the stages that the way begins with. */
function eventsOf({ first }: Way, records: readonly LogRecord[], origin: Origin): Observable<LogEvent> {
  const { outcome } = origin;
  return new Observable((subscriber) => {
    for (const record of records) {
      if (subscriber.closed) return;
      // Its source knows already that the record cannot be used.
      if (record.fault !== undefined) outcome.rejected(LogEvent.of(origin, record), record.fault);
      else {
        const event = first(LogEvent.of(origin, record));
        if (event !== undefined) subscriber.next(event);
      }
    }
    subscriber.complete();
  });
}

function collectInto(events: LogEvent[]): OperatorFunction<LogEvent, LogEvent[]> {
  return reduce((all, event) => {
    all.push(event);
    return all;
  }, events);
}

/** All operators in a row, where there is a single route: nothing has to be kept apart. */
function singleWay(stages: readonly EventOperator[], routes: readonly Route[]): readonly EventOperator[] | undefined {
  const [only] = routes;
  return routes.length === 1 && only !== undefined ? [...stages, ...only.stages] : undefined;
}

/** What the source of a pipeline may filter ahead, with the same outcome. With several routes nothing is certain. */
export function filterFor(
  stages: readonly EventOperator[],
  routes: readonly Route[],
): NonNullable<SourceContext['filterFor']> {
  const operators = singleWay(stages, routes);
  return (fields) => (operators === undefined ? undefined : filterAhead(operators, fields));
}

/**
 * Puts stages and routes together: the common stages first, then each route's own on its own copy of the events.
 *
 * - a throw in a stage discards the batch's output and counts, and the batch is run again record by record; the record
 *   that throws becomes a dead letter (MILLRACE_E_STAGE_THREW) and the others go on.
 * - stages that remember keep to `memories`, so they give an event that is run again the answer it got first.
 * - memory: the events that came through, until they are delivered.
 */
export function transform(
  stages: readonly EventOperator[],
  routes: readonly Route[],
  memories: Memories = new Memories(),
): Transform {
  const shared = memories.attach('', stages);
  const own = routes.map((route) => ({ ...route, stages: memories.attach(route.name, route.stages) }));
  const single = singleWay(shared, own);
  const isSingle = single !== undefined;
  const common = wayOf(single ?? shared);
  const ways = isSingle ? [] : own.map((route) => wayOf(route.stages));

  const run = (lane: Lane, batch: Batch, records: readonly LogRecord[]): Observable<Transformed> =>
    defer(() => {
      const { origin, tally } = originOf(lane, batch);
      tally.filteredCount = batch.filtered ?? 0;
      const outputs = routes.map(() => ({ events: [] as LogEvent[], ...originOf(lane, batch) }));
      const events = common.rest(eventsOf(common, records, origin));
      const routed = connect((all: Observable<LogEvent>) =>
        merge(
          ...ways.map(({ first, rest }, at) => {
            const output = outputs[at] ?? { origin, events: [] };
            const entering = all.pipe(
              map((event) => first(event.from(output.origin))),
              filter((event) => event !== undefined),
            );
            return rest(entering).pipe(collectInto(output.events));
          }),
        ),
      );
      const whole: Observable<unknown> = isSingle
        ? events.pipe(collectInto(outputs[0]?.events ?? []))
        : events.pipe(routed);
      return whole.pipe(ignoreElements(), endWith({ ...endOf(batch), common: tally, routes: outputs }));
    });

  const nothingOf = (batch: Batch, common: Tally): Transformed => ({
    ...endOf(batch),
    common,
    routes: routes.map(() => ({ events: [], tally: new Tally() })),
  });

  const runAlone = (lane: Lane, batch: Batch, record: LogRecord): Observable<Transformed> =>
    run(lane, { ...batch, filtered: 0 }, [record]).pipe(
      catchError((error: unknown) => {
        const { origin, tally } = originOf(lane, batch);
        const reason = new MillraceError('MILLRACE_E_STAGE_THREW', messageOf(error), { cause: error });
        tally.rejected(LogEvent.of(origin, record), reason);
        return of(nothingOf(batch, tally));
      }),
    );

  return (lane, batch) =>
    run(lane, batch, batch.records).pipe(
      catchError(() =>
        from(batch.records).pipe(
          concatMap((record) => runAlone(lane, batch, record)),
          reduce(joined, nothingOf(batch, tallyOf(batch))),
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
    for (const event of further.events) output.events.push(event);
    output.tally.add(further.tally);
  });
  return all;
}
