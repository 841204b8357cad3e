import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { MillraceError } from '../../model/errors.js';
import { literal } from './connection.js';
import { askRowGroups, attachStore, createSchema, noteRowGroups, VERSION } from './sql.js';

const STORE = 'store';

/** For every further connection, once the file is open. */
export const USE_STORE: string = `USE ${STORE}`;

/**
 * Opens a store's file on a connection of a database of its own, and makes what is not there of it. Gives the columns of the
 * events. Throws MILLRACE_E_STORE_VERSION, and what DuckDB throws.
 */
export async function openFile(writer: DuckDBConnection, path: string): Promise<Set<string>> {
  const isNew = await isEmpty(path);
  const attach = attachStore(path, STORE, isNew || (await hasOurRowGroups(writer, path)));
  const schema = [...createSchema, ...(isNew ? [noteRowGroups] : [])];
  for (const statement of [attach, USE_STORE, 'BEGIN', ...schema, 'COMMIT']) await writer.run(statement);
  const [version] = await textsOf(writer, "SELECT value FROM millrace_meta WHERE key = 'version'");
  if (version !== VERSION) throw new MillraceError('MILLRACE_E_STORE_VERSION', `${path}, ${version}`);
  return new Set(await textsOf(writer, "SELECT name FROM pragma_table_info('events')"));
}

/** Whether there is nothing in the file yet. */
async function isEmpty(path: string): Promise<boolean> {
  return stat(path).then(
    ({ size }) => size === 0,
    () => true,
  );
}

/** Asked without writing: what is logged would else go into row groups of the wrong size. */
async function hasOurRowGroups(writer: DuckDBConnection, path: string): Promise<boolean> {
  await writer.run(`ATTACH ${literal(path)} AS asked (READ_ONLY)`);
  try {
    return (await textsOf(writer, askRowGroups('asked'))).length > 0;
  } catch {
    // It died before it had its tables.
    return false;
  } finally {
    await writer.run('DETACH asked');
  }
}

async function textsOf(writer: DuckDBConnection, sql: string): Promise<string[]> {
  return (await writer.runAndReadAll(sql)).getRows().map(([text]) => String(text));
}
