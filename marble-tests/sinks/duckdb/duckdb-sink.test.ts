import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import {
  delay,
  EMPTY,
  firstValueFrom,
  lastValueFrom,
  mergeMap,
  NEVER,
  Observable,
  of,
  queueScheduler,
  tap,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { MillraceError } from '../../../src/model/errors.js';
import { LogEvent } from '../../../src/model/event.js';
import type { Receipt, Sink } from '../../../src/model/sink.js';
import type { Database, Transaction } from '../../../src/sinks/duckdb/database.js';
import { duckdbSink } from '../../../src/sinks/duckdb/duckdb-sink.js';
import { Stores } from '../../../src/sinks/duckdb/stores.js';
import { FakeStore } from '../../fakes/fake-database.js';

const options = { path: '/data/store.duckdb', memoryBytes: 100_000_000, threads: 1 };
const origin = {
  incarnation: 'i',
  fields: {},
  outcome: { filtered: () => {}, rejected: () => {}, expanded: () => {} },
};
const full = new MillraceError('MILLRACE_E_FILE_NO_SPACE');

/** A database that answers at once. `write` may fail, before or after the rows are there. */
function databaseOf(
  store: FakeStore,
  write = (transaction: Transaction): Observable<unknown> => of(undefined).pipe(tap(() => store.apply(transaction))),
): Database {
  return {
    positions: () => of([...store.positions.values()]),
    write,
    lastIngestedMs: () => of(0),
    keepUp: () => EMPTY,
    connect: () => Promise.reject(new Error('nobody reads here')),
    close: () => undefined,
  };
}

function open(
  database: Database,
  { pipeline = 'p', scheduler = queueScheduler }: { pipeline?: string; scheduler?: SchedulerLike } = {},
): Promise<Sink> {
  const stores = new Stores({ openDatabase: () => of(database), scheduler, report: () => {} });
  const context = { pipeline, leg: 'out', saved: undefined, save: NEVER, report: () => {} };
  return new Promise((done, fail) => {
    duckdbSink(options, stores).open(context).subscribe({ next: done, error: fail });
  });
}

function eventAt(offset: number, text = `line ${offset}`): LogEvent {
  return LogEvent.of(origin, { offset, text });
}

function deliver(sink: Sink, lane: string, from: number, count: number): Promise<Receipt> {
  const items = Array.from({ length: count }, (_, at) => eventAt(from + at));
  return firstValueFrom(sink.deliver({ lane, position: from + count, items }));
}

/** What a checkpoint waits for. */
function durable(sink: Sink): Promise<unknown> {
  return lastValueFrom(sink.capture!(new Map()).sync, { defaultValue: 'durable' });
}

/** A database whose transactions end when they are told to. */
function slowDatabase(store: FakeStore) {
  const commits: { rows: number; end: (error?: unknown) => void }[] = [];
  const database = databaseOf(
    store,
    (transaction) =>
      new Observable((subscriber) => {
        const end = (error?: unknown): void => {
          if (error !== undefined) subscriber.error(error);
          else {
            store.apply(transaction);
            subscriber.complete();
          }
        };
        commits.push({ rows: transaction.rows.count, end });
      }),
  );
  return { database, commits };
}

describe('duckdb sink', () => {
  it('skips what lies below the position that was stored with the rows, for each leg and lane alone', async () => {
    const store = new FakeStore();
    const first = await open(databaseOf(store));
    await deliver(first, 'a', 0, 3);
    await durable(first);
    const again = await open(databaseOf(store));
    expect(await deliver(again, 'a', 1, 4)).toEqual({ delivered: 2, duplicates: 2, refused: [] });
    expect(await deliver(again, 'b', 1, 4)).toMatchObject({ delivered: 4, duplicates: 0 });
    const other = await open(databaseOf(store), { pipeline: 'other' });
    expect(await deliver(other, 'a', 1, 4)).toMatchObject({ delivered: 4 });
    await Promise.all([durable(again), durable(other)]);
    expect(store.rows).toHaveLength(13);
  });

  it('accepts at once; what is durable is what was written', async () => {
    const store = new FakeStore();
    const { database, commits } = slowDatabase(store);
    const sink = await open(database);
    expect(await deliver(sink, 'a', 0, 3)).toEqual({ delivered: 3, duplicates: 0, refused: [] });
    const events: string[] = [];
    void durable(sink).then(() => events.push('first'));
    expect(await deliver(sink, 'a', 3, 2)).toMatchObject({ delivered: 2 });
    void durable(sink).then(() => events.push('second'));
    await setImmediate();
    expect([events, store.rows.length]).toEqual([[], 0]);
    commits[0]!.end();
    await setImmediate();
    expect([events, store.rows.length]).toEqual([['first'], 3]);
    commits[1]!.end();
    await setImmediate();
    expect([events, store.rows.length]).toEqual([['first', 'second'], 5]);
    expect(await durable(sink)).toBe('durable');
  });

  it('begins a transaction at once, the next one 0.2 s later, or when somebody waits for it', () => {
    const clock = new VirtualTimeScheduler();
    const begun: string[] = [];
    const database = databaseOf(new FakeStore(), ({ rows }) => {
      begun.push(`${clock.now()}: ${rows.count}`);
      return of(undefined);
    });
    const stores = new Stores({ openDatabase: () => of(database), scheduler: clock, report: () => {} });
    const context = { pipeline: 'p', leg: 'out', saved: undefined, save: NEVER, report: () => {} };
    let sink: Sink | undefined;
    duckdbSink(options, stores)
      .open(context)
      .subscribe((opened) => (sink = opened));
    const at = (ms: number, act: (sink: Sink) => void): void => void clock.schedule(() => act(sink!), ms);
    [1000, 1001, 1150, 1500, 1510, 1520].forEach((ms, n) => {
      at(ms, (open) => open.deliver({ lane: 'a', position: n + 1, items: [eventAt(n)] }).subscribe());
    });
    at(1530, (open) => open.capture!(new Map()).sync.subscribe());
    clock.flush();
    expect(begun).toEqual(['1000: 1', '1200: 2', '1500: 1', '1530: 2']);
  });

  it.each([
    ['was written all the same', true],
    ['was not written', false],
  ])('writes a transaction that failed and %s once, when somebody asks again', async (_, isWritten) => {
    const store = new FakeStore();
    let fails = true;
    let tries = 0;
    const sink = await open(
      databaseOf(store, (transaction) => {
        tries++;
        if (!fails || isWritten) store.apply(transaction);
        return fails ? throwError(() => full) : of(undefined);
      }),
    );
    expect(await deliver(sink, 'a', 0, 3)).toMatchObject({ delivered: 3 });
    // The first time, nobody had to ask.
    if (isWritten) expect(await durable(sink)).toBe('durable');
    else await expect(durable(sink)).rejects.toBe(full);
    const before = tries;
    await sleep(450);
    expect(tries, 'nobody asked').toBe(before);
    fails = false;
    expect(await deliver(sink, 'a', 3, 2)).toMatchObject({ delivered: 2 });
    expect(await durable(sink)).toBe('durable');
    expect(store.rows.map((row) => row['event.id'])).toEqual([0, 1, 2, 3, 4].map((n) => `i:${n}`));
  });

  it('makes a delivery that there is no room for wait, tells it what is wrong, and counts it once', async () => {
    const store = new FakeStore();
    const { database, commits } = slowDatabase(store);
    const sink = await open(database);
    await deliver(sink, 'a', 0, 1);
    await deliver(sink, 'a', 1, 30_000);
    const items = Array.from({ length: 1000 }, (_, at) => eventAt(30_001 + at));
    const delivery = { lane: 'a', position: 31_001, items };
    const refused = firstValueFrom(sink.deliver(delivery));
    commits[0]!.end(full);
    await expect(refused).rejects.toBe(full);
    const again = firstValueFrom(sink.deliver(delivery));
    await vi.waitFor(() => expect(commits).toHaveLength(2));
    commits[1]!.end();
    expect(await again).toEqual({ delivered: 1000, duplicates: 0, refused: [] });
    await vi.waitFor(() => expect(commits).toHaveLength(3));
    expect(commits[2]!.rows, 'a whole row group').toBe(30_720);
    commits[2]!.end();
    const rest = durable(sink);
    await vi.waitFor(() => expect(commits).toHaveLength(4));
    commits[3]!.end();
    await rest;
    expect(new Set(store.rows.map((row) => row['event.id'])).size).toBe(31_001);
    expect(store.rows).toHaveLength(31_001);
  });

  it('cuts no record, and nothing that is out of order, between two transactions', async () => {
    const counts: number[] = [];
    const sink = await open(
      databaseOf(new FakeStore(), ({ rows, positions }) => {
        counts.push(rows.count, positions[0]!.position);
        return of(undefined);
      }),
    );
    // Two events a record; the row group ends in the middle of one.
    const pairs = Array.from({ length: 30_800 }, (_, n) => eventAt(Math.floor((n + 1) / 2)));
    await firstValueFrom(sink.deliver({ lane: 'a', position: 15_401, items: pairs }));
    await durable(sink);
    expect(counts).toEqual([30_721, 15_361, 79, 15_401]);
    counts.length = 0;
    const mixed = Array.from({ length: 30_800 }, (_, n) => eventAt(30_800 + ((n * 7) % 30_800)));
    await firstValueFrom(sink.deliver({ lane: 'a', position: 61_600, items: mixed }));
    await durable(sink);
    expect(counts).toEqual([30_800, 61_600]);
  });

  it('exports nothing that is younger than what is not written yet', async () => {
    const { database, commits } = slowDatabase(new FakeStore());
    const exported: string[] = [];
    const keepUp: Database['keepUp'] = ({ removeBefore }) => {
      exported.push(removeBefore!);
      return EMPTY;
    };
    const clock = new VirtualTimeScheduler();
    const stores = new Stores({ openDatabase: () => of({ ...database, keepUp }), scheduler: clock, report: () => {} });
    const context = { pipeline: 'p', leg: 'out', saved: undefined, save: NEVER, report: () => {} };
    const kept = { ...options, path: '/data/kept.duckdb', retention: { maxAgeDays: 1 } };
    const hours = 3_600_000;
    duckdbSink(kept, stores)
      .open(context)
      .pipe(
        delay(50 * hours + 60_000, clock),
        mergeMap((sink) => sink.deliver({ lane: 'a', position: 1, items: [eventAt(0)] })),
      )
      .subscribe();
    clock.maxFrames = 52 * hours;
    clock.flush();
    expect(commits).toHaveLength(1);
    const last = Date.parse(exported.at(-1)!);
    expect(last).toBeLessThanOrEqual(26 * hours + 60_000);
  });

  it('writes what was accepted when it is closed', async () => {
    const store = new FakeStore();
    const clock = new VirtualTimeScheduler();
    const stores = new Stores({ openDatabase: () => of(databaseOf(store)), scheduler: clock, report: () => {} });
    const context = { pipeline: 'p', leg: 'out', saved: undefined, save: NEVER, report: () => {} };
    const opened = duckdbSink(options, stores)
      .open(context)
      .pipe(mergeMap((sink) => sink.deliver({ lane: 'a', position: 1, items: [eventAt(0)] })))
      .subscribe();
    expect(store.rows).toHaveLength(0);
    opened.unsubscribe();
    expect(store.rows).toHaveLength(1);
  });

  it('forgets the positions of lanes that a saved checkpoint does not have any more, not before it is saved', async () => {
    const store = new FakeStore();
    const sink = await open(databaseOf(store));
    await deliver(sink, 'a', 0, 1);
    await deliver(sink, 'b', 0, 1);
    const capture = sink.capture!(new Map([['b', 1]]));
    await deliver(sink, 'b', 1, 1);
    await durable(sink);
    expect(store.positions.size).toBe(2);
    capture.saved!();
    await deliver(sink, 'b', 2, 1);
    await durable(sink);
    expect([...store.positions.values()]).toEqual([{ pipeline: 'p', leg: 'out', lane: 'b', position: 3 }]);
  });

  it('cuts deliveries into transactions that the database has memory for', async () => {
    const store = new FakeStore();
    const { database, commits } = slowDatabase(store);
    const sink = await open(database);
    const items = Array.from({ length: 10 }, (_, n) => eventAt(n, 'x'.repeat(2_000_000)));
    const receipt = firstValueFrom(sink.deliver({ lane: 'a', position: 10, items }));
    for (let n = 0; n < 2; n++) {
      await vi.waitFor(() => expect(commits.length).toBeGreaterThan(n));
      commits[n]!.end();
    }
    expect(await receipt).toEqual({ delivered: 10, duplicates: 0, refused: [] });
    const rest = durable(sink);
    await vi.waitFor(() => expect(commits).toHaveLength(3));
    commits[2]!.end();
    await rest;
    expect(commits.map(({ rows }) => rows)).toEqual([4, 4, 2]);
    expect([...store.positions.values()]).toMatchObject([{ lane: 'a', position: 10 }]);
  });

  it('refuses what is too large for the database, also when it comes again after a crash', async () => {
    const store = new FakeStore();
    const [small, large] = ['small', 'x'.repeat(8_400_000)].map((text, offset) =>
      LogEvent.of(origin, { offset, text }),
    ) as [LogEvent, LogEvent];
    const delivery = { lane: 'a', position: 2, items: [small, large] };
    const refused = [{ item: large, reason: { code: 'MILLRACE_E_STORE_TOO_LARGE' } }];
    const first = await open(databaseOf(store));
    const receipt = await firstValueFrom(first.deliver(delivery));
    expect(receipt).toMatchObject({ delivered: 1, duplicates: 0, refused });
    await durable(first);
    const again = await firstValueFrom((await open(databaseOf(store))).deliver(delivery));
    expect(again).toMatchObject({ delivered: 0, duplicates: 1, refused });
    expect(store.rows).toHaveLength(1);
  });

  it('refuses other options for the same path', () => {
    const stores = new Stores({ openDatabase: () => EMPTY, scheduler: queueScheduler, report: () => {} });
    duckdbSink(options, stores);
    expect(() => duckdbSink({ ...options, threads: 2 }, stores)).toThrow('same options');
  });
});
