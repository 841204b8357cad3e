import {
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  ignoreElements,
  map,
  Observable,
  of,
  Subject,
  tap,
  timer,
} from 'rxjs';
import type { SchedulerLike, Subscriber } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import type { LogEvent } from '../../model/event.js';
import type { Delivery, Receipt, Refusal } from '../../model/sink.js';
import { workWhile } from '../../operators/work-while.js';
import type { Database, LanePosition, LegLane } from './database.js';
import { EventRows } from './event-rows.js';
import type { DuckdbSinkOptions } from './options.js';
import { upkeepAt } from './upkeep.js';

/** A leg that delivers to a store. */
export interface StoreLeg {
  readonly pipeline: string;
  readonly leg: string;
  readonly route: string;
}

interface Request {
  readonly from: StoreLeg;
  readonly deliveries: readonly Delivery[];
  readonly subscriber: Subscriber<readonly Receipt[]>;
  /** Of the deliveries that are written; the others are in the next transactions. */
  readonly receipts: Receipt[];
}

/** What a transaction will hold at most, and the last delivery beyond that. */
const MAX_ROWS = 20_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** The rows of a transaction stay in the database's memory until it is over: of 16 MB it needs 32. */
const MEMORY_FOR_A_TRANSACTION = 16;

/** How often it is looked whether something is to be exported or removed. */
const UPKEEP_EVERY_MS = 5000;

function tooLarge(event: LogEvent): MillraceError {
  return MillraceError.ofRecord('MILLRACE_E_STORE_TOO_LARGE', event.id);
}

function keyOf({ pipeline, leg }: Pick<LegLane, 'pipeline' | 'leg'>): string {
  return JSON.stringify([pipeline, leg]);
}

/**
 * An open store. Rows and the positions of their lanes are written in one transaction, so items below a lane's position
 * are duplicates. Work-conserving: what arrives, from whatever lane or pipeline, during a transaction is the next one.
 */
export class Store {
  readonly #database: Database;
  readonly #options: DuckdbSinkOptions;
  readonly #scheduler: SchedulerLike;
  readonly #report: (notice: Notice) => void;
  readonly #rows: EventRows;
  readonly #maxBytes: number;
  readonly #arrivals = new Subject<void>();
  readonly #forgotten = new Map<string, LegLane>();
  #positions = new Map<string, Map<string, number>>();
  #queue: Request[] = [];
  #lastIngestedMs = 0;
  #lastUpkeepMs = 0;
  #bytesSince = 0;
  /** Nobody knows whether the last transaction was written. */
  #isUncertain = false;

  constructor(
    database: Database,
    options: DuckdbSinkOptions,
    scheduler: SchedulerLike,
    report: (notice: Notice) => void,
  ) {
    this.#database = database;
    this.#options = options;
    this.#rows = new EventRows(options.memoryBytes);
    this.#maxBytes = Math.min(MAX_BYTES, options.memoryBytes / MEMORY_FOR_A_TRANSACTION);
    this.#scheduler = scheduler;
    this.#report = report;
  }

  /** Writes while it is subscribed. */
  get work(): Observable<unknown> {
    return this.#arrivals.pipe(
      workWhile(
        () => this.#queue.length > 0,
        defer(() =>
          this.#isUncertain
            ? concat(
                this.#findOut(),
                defer(() => this.#writeGroup()),
              )
            : this.#writeGroup(),
        ),
      ),
    );
  }

  /** Exports and removes while it is subscribed: looks now and then whether it is time. Never emits. */
  get upkeep(): Observable<unknown> {
    const { retention, export: exporting } = this.#options;
    if (retention === undefined && exporting === undefined) return EMPTY;
    return timer(0, UPKEEP_EVERY_MS, this.#scheduler).pipe(exhaustMap(() => this.#keepUp()));
  }

  #keepUp(): Observable<unknown> {
    const nextMs = this.#nextIngestedMs();
    const upkeep = upkeepAt(this.#options, { nextMs, lastMs: this.#lastUpkeepMs, bytesSince: this.#bytesSince });
    if (upkeep === undefined) return EMPTY;
    const bytes = this.#bytesSince;
    return this.#database.keepUp(upkeep).pipe(
      tap({
        complete: () => {
          this.#lastUpkeepMs = nextMs;
          if (upkeep.exportUntil !== undefined) this.#bytesSince -= bytes;
        },
      }),
      catchError((error: unknown) => {
        const code = error instanceof MillraceError ? { code: error.code } : {};
        const message = `exporting or removing rows of ${this.#options.path}: ${messageOf(error)}; trying again`;
        this.#report({ level: 'warn', message, ...code });
        return EMPTY;
      }),
    );
  }

  /** The positions of a leg's lanes. */
  lanesOf(leg: StoreLeg): Map<string, number> {
    const key = keyOf(leg);
    let lanes = this.#positions.get(key);
    if (lanes === undefined) {
      lanes = new Map();
      this.#positions.set(key, lanes);
    }
    return lanes;
  }

  /** Deliveries of a lane, in order. */
  deliver(from: StoreLeg, deliveries: readonly Delivery[]): Observable<readonly Receipt[]> {
    return new Observable((subscriber) => {
      const request = { from, deliveries, subscriber, receipts: [] };
      this.#queue.push(request);
      this.#arrivals.next();
      return () => (this.#queue = this.#queue.filter((other) => other !== request));
    });
  }

  /** Nothing of these lanes will be read any more: their positions go with the next transaction. */
  forget(leg: StoreLeg, lanes: readonly string[]): void {
    const known = this.lanesOf(leg);
    for (const lane of lanes) {
      if (!known.delete(lane)) continue;
      const { pipeline, leg: name } = leg;
      this.#forgotten.set(JSON.stringify([pipeline, name, lane]), { pipeline, leg: name, lane });
    }
  }

  readPositions(): Observable<never> {
    const last = defer(() => this.#database.lastIngestedMs()).pipe(
      tap((lastMs) => (this.#lastIngestedMs = Math.max(this.#lastIngestedMs, lastMs))),
      ignoreElements(),
    );
    const positions = defer(() => this.#database.positions()).pipe(
      tap((positions) => {
        this.#positions = new Map();
        for (const { pipeline, leg, lane, position } of positions) {
          if (this.#forgotten.has(JSON.stringify([pipeline, leg, lane]))) continue;
          this.lanesOf({ pipeline, leg, route: '' }).set(lane, position);
        }
        this.#isUncertain = false;
      }),
      ignoreElements(),
    );
    return concat(last, positions);
  }

  #findOut(): Observable<never> {
    return this.readPositions().pipe(catchError((error: unknown) => this.#fail(this.#queue.splice(0), error)));
  }

  #writeGroup(): Observable<unknown> {
    const group: (readonly [Request, readonly Receipt[]])[] = [];
    const reached = new Map<string, LanePosition>();
    const ingested = new Date(this.#nextIngestedMs()).toISOString();
    for (const request of this.#queue) {
      if (this.#isFull()) break;
      group.push([request, this.#takeFrom(request, reached, ingested)]);
    }
    if (group.length === 0) return EMPTY;
    this.#bytesSince += this.#rows.bytes;
    const rows = this.#rows.take();
    const forgotten = [...this.#forgotten.values()];
    const write = this.#database.write({ rows, positions: [...reached.values()], forgotten });
    return (rows.count === 0 ? of(undefined) : write).pipe(
      map(() => {
        for (const position of reached.values()) {
          this.lanesOf({ ...position, route: '' }).set(position.lane, position.position);
        }
        if (rows.count > 0)
          for (const lane of forgotten) this.#forgotten.delete(JSON.stringify([lane.pipeline, lane.leg, lane.lane]));
        this.#answer(group);
      }),
      catchError((error: unknown) =>
        this.#fail(
          group.map(([request]) => request),
          error,
        ),
      ),
    );
  }

  #isFull(): boolean {
    return this.#rows.count >= MAX_ROWS || this.#rows.bytes >= this.#maxBytes;
  }

  /** As much of what is left of it as there is room for. */
  #takeFrom({ from, deliveries, receipts }: Request, reached: Map<string, LanePosition>, ingested: string): Receipt[] {
    const taken: Receipt[] = [];
    for (const delivery of deliveries.slice(receipts.length)) {
      if (this.#isFull()) break;
      taken.push(this.#addRows(from, delivery, reached, ingested));
    }
    return taken;
  }

  #answer(group: readonly (readonly [Request, readonly Receipt[]])[]): void {
    const done: Request[] = [];
    for (const [request, taken] of group) {
      request.receipts.push(...taken);
      if (request.receipts.length === request.deliveries.length) done.push(request);
    }
    this.#leave(done);
    for (const { subscriber, receipts } of done) {
      subscriber.next(receipts);
      subscriber.complete();
    }
  }

  #leave(requests: readonly Request[]): void {
    this.#queue = this.#queue.filter((request) => !requests.includes(request));
  }

  #addRows(from: StoreLeg, delivery: Delivery, reached: Map<string, LanePosition>, ingested: string): Receipt {
    const { pipeline, leg, route } = from;
    const { lane, items } = delivery;
    const key = JSON.stringify([pipeline, leg, lane]);
    const position = reached.get(key)?.position ?? this.lanesOf(from).get(lane) ?? -1;
    const common = this.#rows.common(pipeline, route, ingested);
    const refused: Refusal[] = [];
    let [delivered, duplicates] = [0, 0];
    for (const event of items) {
      const isStored = event.record.offset < position;
      // What was refused is refused again: nobody knows whether it became a dead letter before the crash.
      if (!(isStored ? this.#rows.takes(event) : this.#rows.add(event, common)))
        refused.push({ item: event, reason: tooLarge(event) });
      else if (isStored) duplicates++;
      else delivered++;
    }
    if (delivery.position > position) reached.set(key, { pipeline, leg, lane, position: delivery.position });
    return { delivered, duplicates, refused };
  }

  /** Never goes back, whatever the clock does: what was stored later has no smaller time. */
  #nextIngestedMs(): number {
    this.#lastIngestedMs = Math.max(this.#lastIngestedMs, this.#scheduler.now());
    return this.#lastIngestedMs;
  }

  /** The legs try again; then the positions say what is there. */
  #fail(group: readonly Request[], error: unknown): Observable<never> {
    this.#isUncertain = true;
    this.#leave(group);
    for (const { subscriber } of group) subscriber.error(error);
    return EMPTY;
  }
}
