import {
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  finalize,
  ignoreElements,
  map,
  merge,
  Observable,
  of,
  ReplaySubject,
  share,
  Subject,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import type { SchedulerLike, Subscriber } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import type { Delivery, Receipt } from '../../model/sink.js';
import { workWhile } from '../../operators/work-while.js';
import type { Connect, Database, LanePosition, LegLane, OpenDatabase } from './database.js';
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
}

/** What a transaction will hold at most, unless one delivery is more. */
const MAX_ROWS = 20_000;
const MAX_CHARS = 4 * 1024 * 1024;

/** How often it is looked whether something is to be exported or removed. */
const UPKEEP_EVERY_MS = 5000;

export interface StorePorts {
  readonly openDatabase: OpenDatabase;
  readonly scheduler: SchedulerLike;
  readonly report: (notice: Notice) => void;
  /** Subscribed to while a store is open: what serves its readers. */
  readonly beside?: (path: string, connect: Connect) => Observable<unknown>;
}

/** The stores of a process: one for each path, open while a sink uses it. */
export class Stores {
  readonly #ports: StorePorts;
  readonly #byPath = new Map<string, { readonly options: string; readonly store: Observable<Store> }>();

  constructor(ports: StorePorts) {
    this.#ports = ports;
  }

  /**
   * The open store of an absolute path. Emits once; it is closed when nobody is subscribed any more. Throws
   * MILLRACE_E_CONFIG_INVALID when somebody else has named the same path with other options.
   */
  at(options: DuckdbSinkOptions): Observable<Store> {
    const { path } = options;
    const { openDatabase, scheduler, report, beside = () => EMPTY } = this.#ports;
    const use = (database: Database): Observable<Store> => {
      const store = new Store(database, options, scheduler, report);
      const work = merge(
        store.work,
        store.upkeep,
        defer(() => beside(path, database.connect)),
      ).pipe(ignoreElements());
      const opened = concat(store.readPositions(), of(store));
      return merge(work, opened).pipe(finalize(() => database.close()));
    };
    const found = this.#byPath.get(path);
    if (found !== undefined) {
      if (found.options === JSON.stringify(options)) return found.store;
      throw new MillraceError(
        'MILLRACE_E_CONFIG_INVALID',
        `pipelines that share ${path} must give it the same options`,
      );
    }
    const shared = defer(() => openDatabase({ ...options, report })).pipe(
      switchMap(use),
      share({ connector: () => new ReplaySubject<Store>(1) }),
    );
    this.#byPath.set(path, { options: JSON.stringify(options), store: shared });
    return shared;
  }
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
  readonly #rows = new EventRows();
  readonly #arrivals = new Subject<void>();
  readonly #forgotten = new Map<string, LegLane>();
  #positions = new Map<string, Map<string, number>>();
  #queue: Request[] = [];
  #lastIngestedMs = 0;
  #lastUpkeepMs = 0;
  #charsSince = 0;
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
    const upkeep = upkeepAt(this.#options, { nextMs, lastMs: this.#lastUpkeepMs, charsSince: this.#charsSince });
    if (upkeep === undefined) return EMPTY;
    const chars = this.#charsSince;
    return this.#database.keepUp(upkeep).pipe(
      tap({
        complete: () => {
          this.#lastUpkeepMs = nextMs;
          if (upkeep.exportUntil !== undefined) this.#charsSince -= chars;
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
      const request = { from, deliveries, subscriber };
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
    const group: Request[] = [];
    const receipts: (readonly Receipt[])[] = [];
    const reached = new Map<string, LanePosition>();
    const ingested = new Date(this.#nextIngestedMs()).toISOString();
    while (this.#rows.count < MAX_ROWS && this.#rows.chars < MAX_CHARS) {
      const request = this.#queue.shift();
      if (request === undefined) break;
      group.push(request);
      const { from, deliveries } = request;
      receipts.push(deliveries.map((delivery) => this.#addRows(from, delivery, reached, ingested)));
    }
    if (group.length === 0) return EMPTY;
    this.#charsSince += this.#rows.chars;
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
        group.forEach(({ subscriber }, at) => {
          const receipt = receipts[at];
          if (receipt !== undefined) subscriber.next(receipt);
          subscriber.complete();
        });
      }),
      catchError((error: unknown) => this.#fail(group, error)),
    );
  }

  #addRows(from: StoreLeg, delivery: Delivery, reached: Map<string, LanePosition>, ingested: string): Receipt {
    const { pipeline, leg, route } = from;
    const { lane, items } = delivery;
    const key = JSON.stringify([pipeline, leg, lane]);
    const position = reached.get(key)?.position ?? this.lanesOf(from).get(lane) ?? -1;
    let delivered = 0;
    for (const event of items) {
      if (event.record.offset < position) continue;
      this.#rows.add(event, pipeline, route, ingested);
      delivered++;
    }
    if (delivery.position > position) reached.set(key, { pipeline, leg, lane, position: delivery.position });
    return { delivered, duplicates: items.length - delivered, refused: [] };
  }

  /** Never goes back, whatever the clock does: what was stored later has no smaller time. */
  #nextIngestedMs(): number {
    this.#lastIngestedMs = Math.max(this.#lastIngestedMs, this.#scheduler.now());
    return this.#lastIngestedMs;
  }

  /** The legs try again; then the positions say what is there. */
  #fail(group: readonly Request[], error: unknown): Observable<never> {
    this.#isUncertain = true;
    for (const { subscriber } of group) subscriber.error(error);
    return EMPTY;
  }
}
