import { MillraceError, messageOf } from '../model/errors.js';
import type { Json } from '../model/json.js';
import type { Answer, DatabaseConnection, Parameter } from '../sinks/duckdb/database.js';
import { explained, outsideStore } from './read-only-sql.js';

/** One SQL statement, and what `$1`, `$2` … stand for. */
export interface Query {
  readonly sql: string;
  readonly parameters?: readonly Parameter[];
}

/** DESCRIBE, SHOW and SUMMARIZE are SELECTs to DuckDB. */
const KINDS = ['SELECT', 'EXPLAIN'];

/**
 * Runs one statement that can change nothing: a SELECT, EXPLAIN, DESCRIBE, SHOW or SUMMARIZE about the store itself, in a
 * read-only transaction, which lasts until the connection is closed. Throws MILLRACE_E_SEARCH_QUERY for everything else, with
 * DuckDB's message where it is DuckDB that refuses.
 */
export async function readOnlyAnswer(connection: DatabaseConnection, { sql, parameters }: Query): Promise<Answer> {
  try {
    // EXPLAIN ANALYZE runs what it explains: only the transaction keeps it from writing.
    await runToEnd(connection, 'BEGIN TRANSACTION READ ONLY');
    await refuseOutside(connection, sql);
    const kinds = await connection.statementKinds(sql);
    if (kinds.length !== 1) throw refused(kinds.length === 0 ? 'there is none' : 'there are several');
    const [kind = ''] = kinds;
    if (!KINDS.includes(kind)) throw refused(`this is ${kind}`);
    return withFaults(await connection.answer(sql, parameters));
  } catch (error) {
    throw queryFault(error);
  }
}

const INTERRUPT_AGAIN_MS = 50;

/**
 * Interrupts the connection's queries when the signal is aborted: again and again, because an interrupt between two steps
 * of a query is forgotten. Returns what ends that; to be called before the connection is closed.
 */
export function interruptOnAbort(connection: DatabaseConnection, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    connection.interrupt();
    timer = setTimeout(interrupt, INTERRUPT_AGAIN_MS);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  return () => {
    signal.removeEventListener('abort', interrupt);
    clearTimeout(timer);
  };
}

function refused(found: string): MillraceError {
  return new MillraceError(
    'MILLRACE_E_SEARCH_QUERY',
    `expected one SELECT, EXPLAIN, DESCRIBE, SHOW or SUMMARIZE, but ${found}`,
  );
}

/** Before DuckDB binds it: binding already opens the files that a query names. */
async function refuseOutside(connection: DatabaseConnection, sql: string): Promise<void> {
  const [row] = await runToEnd(connection, 'SELECT json_serialize_sql($1::VARCHAR)', [explained(sql)]);
  const tree = row?.[0] as { readonly error?: boolean; readonly error_type?: string } | undefined;
  if (tree?.error === true) {
    // A text that DuckDB cannot read is told in its own words, when it is asked to run it.
    if (tree.error_type === 'parser') return;
    throw refused('this is another statement');
  }
  const outside = outsideStore(tree);
  if (outside !== undefined) {
    throw new MillraceError('MILLRACE_E_SEARCH_QUERY', `${outside} is not in the store, and files are not read`);
  }
}

async function runToEnd(
  connection: DatabaseConnection,
  sql: string,
  parameters: readonly Parameter[] = [],
): Promise<readonly (readonly Json[])[]> {
  const all: (readonly Json[])[] = [];
  for await (const rows of (await connection.answer(sql, parameters)).rows) all.push(...rows);
  return all;
}

function withFaults({ columns, rows }: Answer): Answer {
  return { columns, rows: told(rows) };
}

async function* told<T>(rows: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* rows;
  } catch (error) {
    throw queryFault(error);
  }
}

function queryFault(error: unknown): unknown {
  return error instanceof MillraceError
    ? error
    : new MillraceError('MILLRACE_E_SEARCH_QUERY', messageOf(error), { cause: error });
}
