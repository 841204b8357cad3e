import { EMPTY, firstValueFrom, NEVER, of, queueScheduler, tap, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
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

function open(database: Database, pipeline = 'p'): Promise<Sink> {
  const stores = new Stores({ openDatabase: () => of(database), scheduler: queueScheduler, report: () => {} });
  const context = { pipeline, leg: 'out', saved: undefined, save: NEVER, report: () => {} };
  return new Promise((done, fail) => {
    duckdbSink(options, stores).open(context).subscribe({ next: done, error: fail });
  });
}

function deliver(sink: Sink, lane: string, from: number, count: number): Promise<Receipt> {
  const items = Array.from({ length: count }, (_, at) =>
    LogEvent.of(origin, { offset: from + at, text: `line ${from + at}` }),
  );
  return firstValueFrom(sink.deliver({ lane, position: from + count, items }));
}

describe('duckdb sink', () => {
  it('skips what lies below the position that was stored with the rows, for each leg and lane alone', async () => {
    const store = new FakeStore();
    await deliver(await open(databaseOf(store)), 'a', 0, 3);
    const again = await open(databaseOf(store));
    expect(await deliver(again, 'a', 1, 4)).toEqual({ delivered: 2, duplicates: 2, refused: [] });
    expect(await deliver(again, 'b', 1, 4)).toMatchObject({ delivered: 4, duplicates: 0 });
    expect(await deliver(await open(databaseOf(store), 'other'), 'a', 1, 4)).toMatchObject({ delivered: 4 });
    expect(store.rows).toHaveLength(13);
  });

  it('finds out what is there when a transaction failed and was written all the same', async () => {
    const store = new FakeStore();
    let fails = true;
    const sink = await open(
      databaseOf(store, (transaction) => {
        store.apply(transaction);
        return fails ? throwError(() => full) : of(undefined);
      }),
    );
    await expect(deliver(sink, 'a', 0, 3)).rejects.toBe(full);
    fails = false;
    expect(await deliver(sink, 'a', 0, 3)).toEqual({ delivered: 0, duplicates: 3, refused: [] });
    expect(store.rows).toHaveLength(3);
  });

  it('acknowledges nothing that was not written', async () => {
    const store = new FakeStore();
    let fails = true;
    const sink = await open(
      databaseOf(store, (transaction) =>
        fails ? throwError(() => full) : of(undefined).pipe(tap(() => store.apply(transaction))),
      ),
    );
    await expect(deliver(sink, 'a', 0, 3)).rejects.toBe(full);
    fails = false;
    expect(await deliver(sink, 'a', 0, 3)).toMatchObject({ delivered: 3, duplicates: 0 });
  });

  it('forgets the positions of lanes that a saved checkpoint does not have any more, not before it is saved', async () => {
    const store = new FakeStore();
    const sink = await open(databaseOf(store));
    await deliver(sink, 'a', 0, 1);
    await deliver(sink, 'b', 0, 1);
    const capture = sink.capture!(new Map([['b', 1]]));
    await deliver(sink, 'b', 1, 1);
    expect(store.positions.size).toBe(2);
    capture.saved!();
    await deliver(sink, 'b', 2, 1);
    expect([...store.positions.values()]).toEqual([{ pipeline: 'p', leg: 'out', lane: 'b', position: 3 }]);
  });

  it('cuts a run between deliveries into transactions that the database has memory for', async () => {
    const store = new FakeStore();
    const counts: number[] = [];
    const sink = await open(
      databaseOf(store, (transaction) => {
        counts.push(transaction.rows.count);
        return of(undefined).pipe(tap(() => store.apply(transaction)));
      }),
    );
    const run = Array.from({ length: 10 }, (_, n) => ({
      lane: 'a',
      position: n + 1,
      items: [LogEvent.of(origin, { offset: n, text: 'x'.repeat(2_000_000) })],
    }));
    const receipts = await firstValueFrom(sink.deliverRun!(run));
    expect(receipts).toEqual(run.map(() => ({ delivered: 1, duplicates: 0, refused: [] })));
    expect(counts).toEqual([3, 3, 3, 1]);
    expect([...store.positions.values()]).toMatchObject([{ lane: 'a', position: 10 }]);
  });

  it('refuses what is too large for the database, also when it comes again after a crash', async () => {
    const store = new FakeStore();
    const [small, large] = ['small', 'x'.repeat(8_400_000)].map((text, offset) =>
      LogEvent.of(origin, { offset, text }),
    ) as [LogEvent, LogEvent];
    const delivery = { lane: 'a', position: 2, items: [small, large] };
    const refused = [{ item: large, reason: { code: 'MILLRACE_E_STORE_TOO_LARGE' } }];
    const receipt = await firstValueFrom((await open(databaseOf(store))).deliver(delivery));
    expect(receipt).toMatchObject({ delivered: 1, duplicates: 0, refused });
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
