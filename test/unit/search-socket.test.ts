import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Subscription } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allRows } from '../../src/service/search-asking.js';
import type { SearchLimits } from '../../src/service/search-socket.js';
import { searchSocket } from '../../src/service/search-socket.js';
import { searchSocketPath } from '../../src/service/search-protocol.js';
import { openStore } from '../../src/service/search-store.js';
import type { Store } from '../../src/service/search-store.js';
import type { ReadDatabase } from '../../src/sinks/duckdb/duckdb-database.js';
import { openForReading } from '../../src/sinks/duckdb/duckdb-database.js';

const never = new AbortController().signal;
let folder: string;
let path: string;
let database: ReadDatabase;
let serving: Subscription | undefined;
let open = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-socket-'));
  path = join(folder, 'store.duckdb');
  const instance = await DuckDBInstance.create(path);
  instance.closeSync();
  database = await openForReading(path);
  open = 0;
});

afterEach(async () => {
  serving?.unsubscribe();
  database.close();
  rmSync(folder, { recursive: true });
});

/** Counts the connections that are open: each must be closed, or the database stays open. */
async function connect(): ReturnType<ReadDatabase['connect']> {
  const connection = await database.connect();
  open++;
  return {
    ...connection,
    close: () => {
      open--;
      connection.close();
    },
  };
}

async function serve(limits: Partial<SearchLimits> = {}): Promise<Store> {
  const socket = searchSocketPath(path);
  serving = searchSocket(socket, connect, limits).subscribe();
  while (!existsSync(socket) || !statSync(socket).isSocket()) await wait(5);
  return openStore(path);
}

const rows = async (store: Store, sql: string): Promise<unknown> => allRows(await store.answer({ sql }, never));

/** What a client gets that writes this. */
async function said(text: string): Promise<unknown> {
  const socket = createConnection(searchSocketPath(path)).setEncoding('utf8');
  socket.write(text);
  let all = '';
  for await (const chunk of socket as AsyncIterable<string>) all += chunk;
  return JSON.parse(all);
}

async function closed(): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (open > 0 && performance.now() < deadline) await wait(5);
  expect(open).toBe(0);
}

describe('searchSocketPath', () => {
  it('is beside the file, or short', () => {
    expect(searchSocketPath('/data/x.duckdb')).toBe('/data/x.duckdb.sock');
    const long = searchSocketPath(`/${'long/'.repeat(30)}x.duckdb`);
    expect(Buffer.byteLength(long)).toBeLessThan(100);
    expect(long).not.toBe(searchSocketPath(`/${'long/'.repeat(31)}x.duckdb`));
  });
});

describe('searchSocket', () => {
  it('answers in runs of rows, and closes what it opened', async () => {
    const store = await serve();
    const { columns, rows: runs } = await store.answer(
      { sql: 'SELECT range, $1 AS x FROM range(10000)', parameters: ['é\n'] },
      never,
    );
    expect(columns.map(({ name }) => name)).toEqual(['range', 'x']);
    const all = await allRows({ columns, rows: runs });
    expect(all).toHaveLength(10_000);
    expect(all[9999]).toEqual([9999, 'é\n']);
    await closed();
  });

  it('belongs to its user, replaces what a killed process left, and goes at the end', async () => {
    const socket = searchSocketPath(path);
    writeFileSync(socket, '');
    await serve();
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    serving?.unsubscribe();
    expect(existsSync(socket)).toBe(false);
  });

  it('leaves the socket of another process that has taken its name', async () => {
    await serve();
    const socket = searchSocketPath(path);
    rmSync(socket);
    const other = createServer().listen(socket);
    while (!existsSync(socket)) await wait(5);
    serving?.unsubscribe();
    expect(existsSync(socket)).toBe(true);
    other.close();
  });

  it('says why it cannot be made', async () => {
    const error = await new Promise((done) => {
      searchSocket(join(folder, 'none', 'x.sock'), connect).subscribe({ error: done });
    });
    expect(error).toMatchObject({ code: expect.stringMatching(/^MILLRACE_E_FILE_/) });
  });

  it('passes on what DuckDB says, before and among the rows', async () => {
    const store = await serve();
    await expect(rows(store, 'SELECT nothing')).rejects.toMatchObject({
      code: 'MILLRACE_E_SEARCH_QUERY',
      message: expect.stringContaining('Binder Error'),
    });
    const late = "SELECT CASE WHEN range = 50000 THEN error('too far') ELSE 1 END FROM range(100000)";
    await expect(rows(store, late)).rejects.toThrow('too far');
    await closed();
  });

  it('refuses what is no query', async () => {
    await serve();
    for (const text of ['hello\n', '{"sql":1}\n', '{"sql":"SELECT 1","parameters":[{}]}\n', 'null\n']) {
      expect(await said(text)).toMatchObject({ fault: { code: 'MILLRACE_E_SEARCH_QUERY' } });
    }
    expect(await said('x'.repeat(1_100_000))).toMatchObject({ fault: { message: expect.stringContaining('longer') } });
  });

  it('gives no more than its limits', async () => {
    const few = await serve({ maxRows: 3000 });
    await expect(rows(few, 'FROM range(10000)')).rejects.toMatchObject({ code: 'MILLRACE_E_SEARCH_LIMIT' });
    serving?.unsubscribe();
    const little = await serve({ maxBytes: 10_000 });
    await expect(rows(little, 'FROM range(10000)')).rejects.toMatchObject({ code: 'MILLRACE_E_SEARCH_LIMIT' });
    await closed();
  });

  it('ends a query that takes too long, and one that nobody reads', async () => {
    const store = await serve({ maxMs: 300 });
    await expect(rows(store, ENDLESS)).rejects.toThrow('0.3 s are over');
    await store.answer({ sql: "SELECT repeat('x', 1000) FROM range(1000000)" }, never);
    await closed();
  });

  it('interrupts the query of a client that goes away', async () => {
    const store = await serve();
    const aborter = new AbortController();
    const answer = store.answer({ sql: ENDLESS }, aborter.signal);
    while (open === 0) await wait(5);
    aborter.abort();
    await expect(answer).rejects.toThrow();
    await closed();
  });

  it('answers a few queries at a time', async () => {
    const store = await serve({ maxQueries: 1 });
    const aborter = new AbortController();
    const first = store.answer({ sql: ENDLESS }, aborter.signal);
    while (open === 0) await wait(5);
    await expect(rows(store, 'SELECT 1')).rejects.toThrow('1 queries run at this moment');
    aborter.abort();
    await expect(first).rejects.toThrow();
    await closed();
    expect(await rows(store, 'SELECT 1')).toEqual([[1]]);
  });

  it('breaks off when the service ends: that is no short answer', async () => {
    const store = await serve();
    const { rows: runs } = await store.answer({ sql: "SELECT repeat('x', 1000) FROM range(1000000)" }, never);
    await expect(
      (async () => {
        for await (const _ of runs) serving?.unsubscribe();
      })(),
    ).rejects.toMatchObject({ code: 'MILLRACE_E_SEARCH_SERVICE' });
    await closed();
  });
});

const ENDLESS = 'SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b';
