import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type * as duckdb from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBInstance, DuckDBPreparedStatement } from '@duckdb/node-api';
import { defer, from, Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { Database, LanePosition, OpenDatabase, OpenOptions, Query, Row, Transaction, Upkeep } from './database.js';
import { sqlOn } from './connection.js';
import { isDamage, mustReopen, storeError } from './duckdb-errors.js';
import { rowOf } from './duckdb-values.js';
import { keepUp } from './maintenance.js';
import { recover } from './recover.js';
import { addColumn, createSchema, forgetLanes, insertRows, putPositions, VERSION } from './sql.js';

type Module = typeof duckdb;

async function load(): Promise<Module> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new MillraceError('MILLRACE_E_STORE_PACKAGE', 'npm install @duckdb/node-api', { cause: error });
  }
}

/** Databases that are being closed: the lock on a file does not tell two openings of one process apart. */
const closing = new Map<string, Promise<unknown>>();

/** A DuckDB file. One process at a time may have it open: MILLRACE_E_STORE_LOCKED names the other's pid. */
export const duckdbDatabase: OpenDatabase = (options) =>
  new Observable((subscriber) => {
    const opening = open(options);
    opening.then(
      (database) => {
        if (subscriber.closed) database.close();
        else {
          subscriber.next(database);
          subscriber.complete();
        }
      },
      (error: unknown) => subscriber.error(storeError(error, options.path)),
    );
  });

async function open(options: OpenOptions): Promise<DuckdbDatabase> {
  const module = await load();
  await closing.get(options.path);
  const database = new DuckdbDatabase(module, options);
  await database.open();
  return database;
}

class DuckdbDatabase implements Database {
  readonly #module: Module;
  readonly #options: OpenOptions;
  #instance: DuckDBInstance | undefined;
  #writer: DuckDBConnection | undefined;
  #columns = new Set<string>();
  /** The last of what the writer was asked to do; never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  /** Something in it could not be read: it is recovered before it is written again. */
  #isDamaged = false;
  readonly #queries = new Set<Promise<unknown>>();

  constructor(module: Module, options: OpenOptions) {
    this.#module = module;
    this.#options = options;
  }

  positions(): Observable<readonly LanePosition[]> {
    return this.#inTurn(async (writer) => {
      const result = await writer.runAndReadAll('SELECT pipeline, leg, lane, position FROM millrace_positions');
      return result.getRows().map(([pipeline, leg, lane, position]) => ({
        pipeline: String(pipeline),
        leg: String(leg),
        lane: String(lane),
        position: Number(position),
      }));
    });
  }

  write({ rows, positions, forgotten }: Transaction): Observable<unknown> {
    return this.#inTurn(async (writer) => {
      for (const { name, type } of rows.columns) {
        if (this.#columns.has(name)) continue;
        await writer.run(addColumn(name, type));
        this.#columns.add(name);
      }
      await writer.run('BEGIN');
      try {
        if (rows.count > 0) await execute(writer, insertRows(rows));
        if (positions.length > 0) await execute(writer, putPositions(positions));
        if (forgotten.length > 0) await execute(writer, forgetLanes(forgotten));
        await writer.run('COMMIT');
      } catch (error) {
        await writer.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  lastIngestedMs(): Observable<number> {
    return this.#inTurn(async (writer) => {
      const result = await writer.runAndReadAll('SELECT coalesce(epoch_ms(max(ingested)), 0) FROM events');
      return Number(result.getRows()[0]?.[0]);
    });
  }

  keepUp(upkeep: Upkeep): Observable<unknown> {
    return this.#inTurn(async (writer) => {
      try {
        await keepUp(sqlOn(writer), upkeep);
      } catch (error) {
        await writer.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  query: Query = (sql, parameters = []) =>
    new Observable<readonly Row[]>((subscriber) => {
      let connection: DuckDBConnection | undefined;
      const search = async (): Promise<void> => {
        connection = await this.#instance?.connect();
        if (connection === undefined) throw new MillraceError('MILLRACE_E_STORE_BROKEN', this.#options.path);
        try {
          await connection.run('BEGIN TRANSACTION READ ONLY');
          const statement = await connection.prepare(sql);
          const { SELECT, EXPLAIN } = this.#module.StatementType;
          if (![SELECT, EXPLAIN].includes(statement.statementType)) throw new MillraceError('MILLRACE_E_STORE_QUERY');
          parameters.forEach((value, at) => bind(statement, at + 1, value));
          const result = await statement.stream();
          const names = result.deduplicatedColumnNames();
          while (!subscriber.closed) {
            const chunk = await result.fetchChunk();
            if (chunk === null || chunk.rowCount === 0) break;
            subscriber.next(chunk.getRows().map((values) => rowOf(names, values)));
          }
        } finally {
          connection.closeSync();
          connection = undefined;
        }
      };
      const running = search().then(
        () => subscriber.complete(),
        (error: unknown) => {
          const fault = storeError(error, this.#options.path);
          this.#isDamaged ||= isDamage(fault);
          subscriber.error(fault);
        },
      );
      this.#queries.add(running);
      void running.finally(() => this.#queries.delete(running));
      return () => connection?.interrupt();
    });

  close(): void {
    const { path } = this.#options;
    const closed = this.#last
      .then(() => Promise.all(this.#queries))
      .then(() => this.#shut())
      .finally(() => {
        if (closing.get(path) === closed) closing.delete(path);
      });
    closing.set(path, closed);
  }

  /** Opens the file; a damaged one is replaced by what can be saved of it. */
  async open(): Promise<void> {
    await mkdir(dirname(this.#options.path), { recursive: true });
    if (this.#isDamaged) await this.#recover();
    try {
      await this.#open();
    } catch (error) {
      if (!isDamage(storeError(error, this.#options.path))) throw error;
      await this.#recover();
      await this.#open();
    }
  }

  async #recover(): Promise<void> {
    const { path, report } = this.#options;
    const instance = await this.#instanceOf(':memory:');
    const connection = await instance.connect();
    try {
      const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
      report(await recover(sqlOn(connection), path, stamp));
      this.#isDamaged = false;
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }

  #instanceOf(path: string): Promise<DuckDBInstance> {
    const { memoryBytes, threads } = this.#options;
    return this.#module.DuckDBInstance.create(path, {
      memory_limit: `${Math.floor(memoryBytes / 1024)}KiB`,
      threads: String(threads),
      // What is built in is enough; nothing is fetched from anywhere.
      autoinstall_known_extensions: 'false',
    });
  }

  async #open(): Promise<void> {
    this.#instance = await this.#instanceOf(this.#options.path);
    try {
      this.#writer = await this.#instance.connect();
      for (const statement of ['BEGIN', ...createSchema, 'COMMIT']) await this.#writer.run(statement);
      await this.#checkVersion(this.#writer);
      const columns = await this.#writer.runAndReadAll("SELECT name FROM pragma_table_info('events')");
      this.#columns = new Set(columns.getRows().map(([name]) => String(name)));
    } catch (error) {
      this.#shut();
      throw error;
    }
  }

  async #checkVersion(writer: DuckDBConnection): Promise<void> {
    const result = await writer.runAndReadAll("SELECT value FROM millrace_meta WHERE key = 'version'");
    const version = String(result.getRows()[0]?.[0]);
    if (version !== VERSION) throw new MillraceError('MILLRACE_E_STORE_VERSION', `${this.#options.path}, ${version}`);
  }

  /** One thing after the other on the writer's connection; what was broken is opened anew first. */
  #inTurn<T>(work: (writer: DuckDBConnection) => Promise<T>): Observable<T> {
    const turn = async (): Promise<T> => {
      try {
        if (this.#isDamaged) {
          await Promise.all(this.#queries);
          this.#shut();
        }
        if (this.#writer === undefined) await this.open();
        if (this.#writer === undefined) throw new MillraceError('MILLRACE_E_STORE_BROKEN', this.#options.path);
        return await work(this.#writer);
      } catch (error) {
        const fault = storeError(error, this.#options.path);
        this.#isDamaged ||= isDamage(fault);
        if (mustReopen(fault)) {
          await Promise.all(this.#queries);
          this.#shut();
        }
        throw fault;
      }
    };
    return defer(() => {
      const done = this.#last.then(turn);
      this.#last = done.catch(() => undefined);
      return from(done);
    });
  }

  #shut(): void {
    this.#writer?.closeSync();
    this.#instance?.closeSync();
    this.#writer = undefined;
    this.#instance = undefined;
  }
}

function bind(statement: DuckDBPreparedStatement, at: number, value: string | number | boolean | null): void {
  if (value === null) statement.bindNull(at);
  else if (typeof value === 'string') statement.bindVarchar(at, value);
  else if (typeof value === 'boolean') statement.bindBoolean(at, value);
  else if (Number.isSafeInteger(value)) statement.bindBigInt(at, BigInt(value));
  else statement.bindDouble(at, value);
}

async function execute(writer: DuckDBConnection, [sql, texts]: readonly [string, readonly string[]]): Promise<void> {
  const statement = await writer.prepare(sql);
  try {
    texts.forEach((text, at) => statement.bindVarchar(at + 1, text));
    await statement.run();
  } finally {
    statement.destroySync();
  }
}
