import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type * as duckdb from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { defer, from, Observable } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type {
  Connect,
  Database,
  DatabaseConnection,
  LanePosition,
  OpenDatabase,
  OpenOptions,
  Transaction,
  Upkeep,
} from './database.js';
import { sqlOn } from './connection.js';
import { isDamage, mustReopen, storeError } from './duckdb-errors.js';
import { connectionOf } from './duckdb-reading.js';
import { Insertion } from './insertion.js';
import { keepUp } from './maintenance.js';
import { recover } from './recover.js';
import { openFile, USE_STORE } from './store-file.js';
import { addColumn, forgetLanes, putPositions } from './sql.js';

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

/** No other file is touched, nothing is installed: what somebody asks can only be about the store. */
const READ_ONLY = {
  access_mode: 'READ_ONLY',
  enable_external_access: 'false',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** A database file that is only read. */
export interface ReadDatabase {
  readonly connect: Connect;
  close(): void;
}

/**
 * Opens an existing DuckDB file for reading: other processes may read it, too, but none may write it. Throws
 * MILLRACE_E_STORE_… and MILLRACE_E_FILE_….
 */
export async function openForReading(path: string): Promise<ReadDatabase> {
  const { DuckDBInstance, StatementType } = await load();
  try {
    const instance = await DuckDBInstance.create(path, READ_ONLY);
    return {
      connect: async (): Promise<DatabaseConnection> => connectionOf(await instance.connect(), StatementType),
      close: () => instance.closeSync(),
    };
  } catch (error) {
    throw storeError(error, path);
  }
}

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
  readonly #insertion = new Insertion();
  /** The last of what the writer was asked to do; never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  /** Something in it could not be read: it is recovered before it is written again. */
  #isDamaged = false;
  /** Connections that read, and when each is closed. */
  readonly #readers = new Map<DuckDBConnection, Promise<void>>();

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
      // Each answer waits until the main thread is free, which reads the next batch meanwhile: so three calls, not one
      // for each statement.
      const before = ['BEGIN'];
      if (positions.length > 0) before.push(putPositions(positions));
      if (forgotten.length > 0) before.push(forgetLanes(forgotten));
      try {
        await writer.run(before.join(';'));
        if (rows.count > 0) await this.#insertion.insert(writer, rows);
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

  connect: Connect = async () => {
    const connection = await this.#instance?.connect();
    if (connection === undefined) throw new MillraceError('MILLRACE_E_STORE_BROKEN', this.#options.path);
    await connection.run(USE_STORE);
    let closed = (): void => undefined;
    this.#readers.set(connection, new Promise((done) => (closed = done)));
    return connectionOf(connection, this.#module.StatementType, {
      faultOf: (error) => {
        // What somebody has asked may be wrong in any words: only what DuckDB found in the file counts.
        if (!/^(?:IO|Serialization|INTERNAL|FATAL) Error/.test(messageOf(error))) return error;
        const fault = storeError(error, this.#options.path);
        this.#isDamaged ||= isDamage(fault);
        return fault;
      },
      onClose: () => {
        this.#readers.delete(connection);
        closed();
      },
    });
  };

  close(): void {
    const { path } = this.#options;
    const closed = this.#last
      .then(() => this.#readersClosed())
      .then(() => this.#shut())
      .finally(() => {
        if (closing.get(path) === closed) closing.delete(path);
      });
    closing.set(path, closed);
  }

  /** Ends what is being read: the file stays open as long as one of the connections is. */
  async #readersClosed(): Promise<void> {
    for (const reader of this.#readers.keys()) reader.interrupt();
    await Promise.all(this.#readers.values());
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
    const instance = await this.#newInstance();
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

  /** Files are attached to it: only so can the size of their row groups be said. */
  #newInstance(): Promise<DuckDBInstance> {
    const { path, memoryBytes, threads } = this.#options;
    return this.#module.DuckDBInstance.create(':memory:', {
      temp_directory: `${path}.tmp`,
      memory_limit: `${Math.floor(memoryBytes / 1024)}KiB`,
      threads: String(threads),
      // What is built in is enough; nothing is fetched from anywhere.
      autoinstall_known_extensions: 'false',
    });
  }

  async #open(): Promise<void> {
    this.#instance = await this.#newInstance();
    try {
      this.#writer = await this.#instance.connect();
      this.#columns = await openFile(this.#writer, this.#options.path);
    } catch (error) {
      this.#shut();
      throw error;
    }
  }

  /** One thing after the other on the writer's connection; what was broken is opened anew first. */
  #inTurn<T>(work: (writer: DuckDBConnection) => Promise<T>): Observable<T> {
    const turn = async (): Promise<T> => {
      try {
        if (this.#isDamaged) {
          await this.#readersClosed();
          this.#shut();
        }
        if (this.#writer === undefined) await this.open();
        if (this.#writer === undefined) throw new MillraceError('MILLRACE_E_STORE_BROKEN', this.#options.path);
        return await work(this.#writer);
      } catch (error) {
        const fault = storeError(error, this.#options.path);
        this.#isDamaged ||= isDamage(fault);
        if (mustReopen(fault)) {
          await this.#readersClosed();
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
    this.#insertion.close();
    this.#writer?.closeSync();
    this.#instance?.closeSync();
    this.#writer = undefined;
    this.#instance = undefined;
  }
}
