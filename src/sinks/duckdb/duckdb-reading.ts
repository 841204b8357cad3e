import type { DuckDBConnection, DuckDBInstance, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Json } from '../../model/json.js';

/** A column of an answer: its name and DuckDB's name of its type. */
export interface AnswerColumn {
  readonly name: string;
  readonly type: string;
}

/** What a query answers: rows come in runs of some thousand, as they are made. */
export interface Answer {
  readonly columns: readonly AnswerColumn[];
  readonly rows: AsyncIterable<readonly (readonly Json[])[]>;
}

/** What a query may be given for `$1`, `$2` … */
export type Parameter = string | number | boolean | null;

/** One connection: one query at a time. */
export interface DatabaseConnection {
  /** Runs one statement. Throws what DuckDB says; so does reading the rows. */
  answer(sql: string, parameters?: readonly Parameter[]): Promise<Answer>;
  /** The kinds of the statements in the text, as DuckDB names them: SELECT, EXPLAIN, INSERT … Binds each, runs none. */
  statementKinds(sql: string): Promise<readonly string[]>;
  /** Stops the query that runs: it throws. */
  interrupt(): void;
  close(): void;
}

/** An open database file. */
export interface Database {
  connect(): Promise<DatabaseConnection>;
  close(): void;
}

/** No other file is touched, nothing is installed: what somebody asks can only be about the store. */
const READ_ONLY = {
  access_mode: 'READ_ONLY',
  enable_external_access: 'false',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** Opens an existing database file for reading. Throws what DuckDB says. The package is loaded when it is needed first. */
export async function openForReading(path: string): Promise<Database> {
  const { DuckDBInstance, StatementType } = await import('@duckdb/node-api');
  return databaseOf(await DuckDBInstance.create(path, READ_ONLY), (kind) => StatementType[kind] ?? '');
}

function databaseOf(instance: DuckDBInstance, nameOf: (kind: number) => string): Database {
  return {
    connect: async () => connectionOf(await instance.connect(), nameOf),
    close: () => instance.closeSync(),
  };
}

function connectionOf(connection: DuckDBConnection, nameOf: (kind: number) => string): DatabaseConnection {
  return {
    answer: async (sql, parameters = []) => answerOf(await connection.stream(sql, [...parameters])),
    statementKinds: async (sql) => {
      const statements = await connection.extractStatements(sql);
      const kinds: string[] = [];
      for (let at = 0; at < statements.count; at++) {
        const prepared = await statements.prepare(at);
        kinds.push(nameOf(prepared.statementType));
        prepared.destroySync();
      }
      return kinds;
    },
    interrupt: () => connection.interrupt(),
    close: () => connection.closeSync(),
  };
}

function answerOf(result: DuckDBResult): Answer {
  const types = result.columnTypes();
  const names = result.deduplicatedColumnNames();
  const columns = names.map((name, at) => ({ name, type: types[at]?.alias ?? String(types[at]) }));
  const read = types.map(readerOf);
  return { columns, rows: rowsOf(result, read) };
}

async function* rowsOf(result: DuckDBResult, read: readonly Reader[]): AsyncGenerator<readonly (readonly Json[])[]> {
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk.getRows().map((row) => row.map((value, at) => read[at]?.(value) ?? null));
  }
}

type Reader = (value: DuckDBValue) => Json;

function readerOf(type: DuckDBType): Reader {
  if (type.alias === 'JSON') return (value) => (typeof value === 'string' ? (JSON.parse(value) as Json) : null);
  return jsonOf;
}

/** Whole numbers that JSON readers would round, and what JSON has no word for, are texts. */
function jsonOf(value: DuckDBValue): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if ('micros' in value && typeof value.micros === 'bigint' && !('months' in value)) return timeOf(value.micros, value);
  if ('scale' in value) return Number(String(value));
  if ('items' in value && Array.isArray(value.items)) return value.items.map(jsonOf);
  if ('entries' in value && !Array.isArray(value.entries)) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, each]) => [key, jsonOf(each)]));
  }
  return String(value);
}

const MICROS_PER_SECOND = 1_000_000n;
/** As many digits as ECS times usually have, more only where the time says more. */
const TRAILING_ZEROS = /0{1,3}$/;

/** RFC 3339, in UTC, of a timestamp; DuckDB's own words for a time of day and for what is beyond the calendar. */
function timeOf(micros: bigint, value: object): string {
  const inSecond = ((micros % MICROS_PER_SECOND) + MICROS_PER_SECOND) % MICROS_PER_SECOND;
  const date = new Date(Number((micros - inSecond) / 1000n));
  // Not the object's: DuckDB's values have a text of their own.
  const text = (value as { toString(): string }).toString();
  const isTimestamp = value.constructor.name.includes('Timestamp');
  if (!isTimestamp || Number.isNaN(date.getTime())) return text;
  const fraction = String(inSecond).padStart(6, '0').replace(TRAILING_ZEROS, '');
  return `${date.toISOString().slice(0, -4)}${fraction.padEnd(3, '0')}Z`;
}
