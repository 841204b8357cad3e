import type { DuckDBConnection, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Json } from '../../model/json.js';
import type { Answer, DatabaseConnection } from './database.js';

/** What the owner of a connection is told. */
interface Told {
  /** Called once. */
  readonly onClose?: () => void;
  /** What is thrown for what DuckDB throws. */
  readonly faultOf?: (error: unknown) => unknown;
}

/** A connection for somebody who reads. `kinds`: the names of the kinds of statements. */
export function connectionOf(
  connection: DuckDBConnection,
  kinds: Readonly<Record<number, string>>,
  { onClose, faultOf = (error) => error }: Told = {},
): DatabaseConnection {
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw faultOf(error);
    }
  };
  return {
    answer: async (sql, parameters = []) => answerOf(await told(connection.stream(sql, [...parameters])), told),
    statementKinds: async (sql) => {
      const statements = await told(connection.extractStatements(sql));
      const found: string[] = [];
      for (let at = 0; at < statements.count; at++) {
        const prepared = await told(statements.prepare(at));
        found.push(kinds[prepared.statementType] ?? '');
        prepared.destroySync();
      }
      return found;
    },
    interrupt: () => connection.interrupt(),
    close: () => {
      connection.closeSync();
      onClose?.();
    },
  };
}

type Telling = <T>(work: Promise<T>) => Promise<T>;

function answerOf(result: DuckDBResult, told: Telling): Answer {
  const types = result.columnTypes();
  const names = result.deduplicatedColumnNames();
  const columns = names.map((name, at) => ({ name, type: types[at]?.alias ?? String(types[at]) }));
  return { columns, rows: rowsOf(result, types.map(readerOf), told) };
}

async function* rowsOf(
  result: DuckDBResult,
  read: readonly Reader[],
  told: Telling,
): AsyncGenerator<readonly (readonly Json[])[]> {
  for (;;) {
    const chunk = await told(result.fetchChunk());
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
