import {
  catchError,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  merge,
  Observable,
  Subject,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import type { SchedulerLike, Subscriber } from 'rxjs';
import type { Notice } from '../../model/notice.js';
import type { Delivery, Receipt } from '../../model/sink.js';
import { workWhile } from '../../operators/work-while.js';
import type { Database, LegLane } from './database.js';
import { laneKeyOf, NextTransaction, receiptOf } from './next-transaction.js';
import type { Progress, StoreLeg, Taken } from './next-transaction.js';
import type { DuckdbSinkOptions } from './options.js';
import { StoreUpkeep } from './upkeep.js';

interface Request {
  readonly from: StoreLeg;
  readonly delivery: Delivery;
  readonly subscriber: Subscriber<Receipt>;
}

/** Somebody who waits until a transaction is durable. */
interface Waiting {
  readonly transaction: number;
  readonly subscriber: Subscriber<never>;
}

/** When little comes, a transaction is begun no sooner than this after the one before: each costs milliseconds. */
const WRITE_EVERY_MS = 200;

function keyOf({ pipeline, leg }: Pick<LegLane, 'pipeline' | 'leg'>): string {
  return JSON.stringify([pipeline, leg]);
}

/**
 * An open store. What is delivered is accepted into memory, as much as a transaction holds, and answered at once; rows and
 * the positions of their lanes are written in one transaction, so items below a lane's position are duplicates. Only what
 * is `durable` may be acknowledged further up: the checkpoint waits for that.
 *
 * A transaction begins when there is enough for it, when somebody waits, or after 0.2 s. One that failed is kept and
 * written again when somebody asks: whoever waits, for room or for what is durable, gets the error and comes again.
 */
export class Store {
  readonly #database: Database;
  readonly #scheduler: SchedulerLike;
  readonly #upkeep: StoreUpkeep;
  readonly #next: NextTransaction;
  readonly #asked = new Subject<void>();
  /** Whether anything is accepted for the next transaction. */
  readonly #accepted = new Subject<boolean>();
  /** How far each leg's lanes have come in what was accepted. */
  readonly #positions = new Map<string, Map<string, number>>();
  readonly #forgotten = new Map<string, LegLane>();
  /** A delivery that has to come again goes on where it was. */
  readonly #progress = new WeakMap<Delivery, Progress>();
  /** The transaction that is being written, or that could not be. */
  #unwritten: Taken | undefined;
  #takenCount = 0;
  #takenMs = 0;
  #queue: Request[] = [];
  #waiting: Waiting[] = [];
  #isDue = false;
  /** Nobody knows whether the last transaction was written. */
  #isUncertain = false;
  #lastIngestedMs = 0;

  constructor(
    database: Database,
    options: DuckdbSinkOptions,
    scheduler: SchedulerLike,
    report: (notice: Notice) => void,
  ) {
    this.#database = database;
    this.#next = new NextTransaction(options.memoryBytes);
    this.#scheduler = scheduler;
    this.#upkeep = new StoreUpkeep({ database, options, scheduler, report, nextMs: () => this.#nextWrittenMs });
  }

  /** Writes while it is subscribed. */
  get work(): Observable<unknown> {
    const now = this.#accepted.pipe(
      switchMap((isAny) => (isAny ? timer(this.#msUntilDue, this.#scheduler) : EMPTY)),
      tap(() => this.#becomeDue()),
      ignoreElements(),
    );
    const writing = this.#asked.pipe(
      workWhile(
        () => this.#isDue || this.#queue.length > 0 || this.#waiting.length > 0,
        defer(() => this.#write()),
      ),
    );
    return merge(writing, now);
  }

  /** Exports and removes while it is subscribed. Never emits. */
  get upkeep(): Observable<unknown> {
    return this.#upkeep.run;
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

  /** Deliveries of a lane, in order. Emits when it is accepted. */
  deliver(from: StoreLeg, delivery: Delivery): Observable<Receipt> {
    return new Observable((subscriber) => {
      const request = { from, delivery, subscriber };
      this.#queue.push(request);
      this.#acceptQueue();
      if (!this.#queue.includes(request)) return undefined;
      this.#asked.next();
      return () => (this.#queue = this.#queue.filter((other) => other !== request));
    });
  }

  /** Completes when everything that was accepted until the subscription is durable. */
  get durable(): Observable<never> {
    return new Observable((subscriber) => {
      if (this.#next.isEmpty && this.#unwritten === undefined) {
        subscriber.complete();
        return undefined;
      }
      const waiting = { transaction: this.#takenCount + (this.#next.isEmpty ? 0 : 1), subscriber };
      this.#waiting.push(waiting);
      this.#asked.next();
      return () => (this.#waiting = this.#waiting.filter((other) => other !== waiting));
    });
  }

  /** Nothing of these lanes will be read any more: their positions go with the next transaction. */
  forget(leg: StoreLeg, lanes: readonly string[]): void {
    const known = this.lanesOf(leg);
    for (const lane of lanes) {
      if (!known.delete(lane)) continue;
      const gone = { pipeline: leg.pipeline, leg: leg.leg, lane };
      this.#forgotten.set(laneKeyOf(gone), gone);
    }
  }

  /** Before anything is delivered. */
  readPositions(): Observable<never> {
    const last = defer(() => this.#database.lastIngestedMs()).pipe(
      tap((lastMs) => (this.#lastIngestedMs = Math.max(this.#lastIngestedMs, lastMs))),
      ignoreElements(),
    );
    const positions = defer(() => this.#database.positions()).pipe(
      tap((positions) => {
        for (const { pipeline, leg, lane, position } of positions)
          this.lanesOf({ pipeline, leg, route: '' }).set(lane, position);
      }),
      ignoreElements(),
    );
    return concat(last, positions);
  }

  /** What was accepted is written also when nobody waits for it, unless something before it is on its way. */
  close(): void {
    // Were it written without what is before it, positions would say that both are there.
    const last = this.#unwritten === undefined ? this.#take() : undefined;
    if (last !== undefined) this.#database.write(last).subscribe({ error: () => undefined });
    this.#database.close();
  }

  #becomeDue(): void {
    // What failed is tried again by those who ask, in their own time.
    if (this.#isUncertain) return;
    this.#isDue = true;
    this.#asked.next();
  }

  #write(): Observable<unknown> {
    this.#isDue = false;
    this.#unwritten ??= this.#take();
    this.#acceptQueue();
    return concat(
      this.#isUncertain ? this.#findOut() : EMPTY,
      defer(() => (this.#unwritten === undefined ? EMPTY : this.#database.write(this.#unwritten))),
    ).pipe(
      tap({ complete: () => this.#written() }),
      catchError((error: unknown) => this.#fail(error)),
    );
  }

  /** Whether the transaction that failed was written all the same: then all of its positions are there. */
  #findOut(): Observable<never> {
    return this.#database.positions().pipe(
      tap((positions) => {
        const found = new Map(positions.map((each) => [laneKeyOf(each), each.position]));
        const isWritten = this.#unwritten?.positions.every(
          (each) => (found.get(laneKeyOf(each)) ?? -1) >= each.position,
        );
        if (isWritten === true) this.#unwritten = undefined;
        this.#isUncertain = false;
      }),
      ignoreElements(),
    );
  }

  #written(): void {
    this.#unwritten = undefined;
    const done = this.#waiting.filter(({ transaction }) => transaction <= this.#takenCount);
    this.#waiting = this.#waiting.filter((each) => !done.includes(each));
    if (!this.#next.isEmpty) this.#accepted.next(true);
    for (const { subscriber } of done) subscriber.complete();
  }

  /** Whoever waits comes again. */
  #fail(error: unknown): Observable<never> {
    this.#isUncertain = true;
    for (const { subscriber } of [...this.#queue.splice(0), ...this.#waiting.splice(0)]) subscriber.error(error);
    return EMPTY;
  }

  #take(): Taken | undefined {
    if (this.#next.isEmpty) return undefined;
    const taken = this.#next.take(this.#forgotten);
    this.#upkeep.add(taken.bytes);
    this.#takenCount++;
    this.#takenMs = this.#scheduler.now();
    this.#accepted.next(false);
    return taken;
  }

  get #msUntilDue(): number {
    return Math.max(0, this.#takenMs + WRITE_EVERY_MS - this.#scheduler.now());
  }

  /** As much as there is room for. */
  #acceptQueue(): void {
    while (!this.#next.isFull) {
      const [request] = this.#queue;
      if (request === undefined) return;
      const wasEmpty = this.#next.isEmpty;
      const progress = this.#accept(request);
      const isDone = progress.accepted === request.delivery.items.length;
      if (isDone) this.#queue.shift();
      // Only now: whoever hears of it may deliver at once.
      this.#begun(wasEmpty);
      if (!isDone) continue;
      request.subscriber.next(receiptOf(progress));
      request.subscriber.complete();
    }
  }

  /** Something was accepted: when is it to be written? */
  #begun(wasEmpty: boolean): void {
    if (wasEmpty && !this.#next.isEmpty) this.#accepted.next(true);
    if (this.#next.isFull) this.#becomeDue();
  }

  #accept({ from, delivery }: Request): Progress {
    const lanes = this.lanesOf(from);
    const progress = this.#progress.get(delivery) ?? { accepted: 0, delivered: 0, duplicates: 0, refused: [] };
    this.#progress.set(delivery, progress);
    const position = lanes.get(delivery.lane) ?? -1;
    const end = this.#next.accept(from, delivery, progress, position, this.#nextIngestedMs());
    if (end >= 0) lanes.set(delivery.lane, end);
    return progress;
  }

  /** No row will be written with a smaller time. */
  get #nextWrittenMs(): number {
    if (this.#unwritten !== undefined) return this.#unwritten.ingestedMs;
    return this.#next.isEmpty ? this.#nextIngestedMs() : this.#next.ingestedMs;
  }

  /** Never goes back, whatever the clock does: what was stored later has no smaller time. */
  #nextIngestedMs(): number {
    this.#lastIngestedMs = Math.max(this.#lastIngestedMs, this.#scheduler.now());
    return this.#lastIngestedMs;
  }
}
