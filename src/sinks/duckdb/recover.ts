import { link, rename, rm, stat } from 'node:fs/promises';
import { messageOf } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import { literal, quoted } from './connection.js';
import type { Sql } from './connection.js';
import { attachStore, createSchema, noteRowGroups, ROW_GROUP_ROWS } from './sql.js';

/** DuckDB's vectors, which row groups are made of. */
const SMALLEST_ROWS = 2048;
/** So many are named in the log; all of them in the file of dead rows. */
const MAX_NAMED = 5;

interface Dead {
  readonly from: number;
  readonly to: number;
  /** Their `event.id`s, where those could be read. */
  readonly firstId: string | undefined;
  readonly lastId: string | undefined;
}

interface Salvage {
  rows: number;
  positions: boolean;
  readonly dead: Dead[];
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Attaches the damaged file; without what was logged after its last checkpoint, if that is what is damaged. */
async function attach(sql: Sql, path: string, aside: string): Promise<'whole' | 'without log' | 'unreadable'> {
  const attempt = `ATTACH ${literal(path)} AS damaged (READ_ONLY)`;
  try {
    await sql.run(attempt);
    return 'whole';
  } catch {
    if (!(await exists(`${path}.wal`))) return 'unreadable';
    await rename(`${path}.wal`, `${aside}.wal`);
  }
  return sql.run(attempt).then(
    () => 'without log' as const,
    () => 'unreadable' as const,
  );
}

async function salvage(sql: Sql): Promise<Salvage> {
  const found: Salvage = { rows: 0, positions: true, dead: [] };
  const columns = await sql.rows("SELECT name, type FROM pragma_table_info('damaged.events')");
  const names = columns.map(([name]) => quoted(String(name)));
  for (const [name, type] of columns) {
    await sql.run(`ALTER TABLE fresh.events ADD COLUMN IF NOT EXISTS ${quoted(String(name))} ${String(type)}`);
  }
  try {
    await sql.run('INSERT INTO fresh.millrace_positions SELECT * FROM damaged.millrace_positions');
    await sql.run('INSERT OR REPLACE INTO fresh.millrace_meta SELECT * FROM damaged.millrace_meta');
  } catch {
    found.positions = false;
  }
  const [row] = await sql.rows('SELECT max(rowid) FROM damaged.events');
  const end = Number(row?.[0] ?? -1) + 1;
  const copy = async (from: number, to: number): Promise<void> => {
    const where = `FROM damaged.events WHERE rowid >= ${from} AND rowid < ${to}`;
    try {
      await sql.run(`INSERT INTO fresh.events (${names.join(', ')}) SELECT ${names.join(', ')} ${where}`);
    } catch {
      if (to - from > SMALLEST_ROWS) {
        const middle = from + Math.ceil((to - from) / 2 / SMALLEST_ROWS) * SMALLEST_ROWS;
        await copy(from, middle);
        await copy(middle, to);
        return;
      }
      const ids = await sql.rows(`SELECT first("event.id"), last("event.id") ${where}`).catch(() => []);
      const [firstId, lastId] = (ids[0] ?? []).map(String);
      const before = found.dead.at(-1);
      // What lies side by side is told as one.
      if (before?.to === from) found.dead[found.dead.length - 1] = { ...before, to, lastId: lastId ?? before.lastId };
      else found.dead.push({ from, to, firstId, lastId });
    }
  };
  for (let from = 0; from < end; from += ROW_GROUP_ROWS) await copy(from, Math.min(end, from + ROW_GROUP_ROWS));
  found.rows = end;
  return found;
}

function told(path: string, aside: string, state: string, { rows, positions, dead }: Salvage): Notice {
  const lost = dead.reduce((sum, { from, to }) => sum + to - from, 0);
  const named = dead
    .slice(0, MAX_NAMED)
    .map(
      ({ from, to, firstId, lastId }) =>
        `${from}-${to - 1}${firstId === undefined ? '' : ` (${firstId} to ${lastId ?? ''})`}`,
    );
  const more = dead.length > MAX_NAMED ? ` and ${dead.length - MAX_NAMED} more` : '';
  const parts = [
    state === 'unreadable' ? 'nothing of it could be read' : `${rows - lost} of ${rows} rows were saved into a new one`,
    lost === 0 ? '' : `dead rows: ${named.join(', ')}${more}`,
    state === 'without log' ? 'what was written after its last checkpoint is lost' : '',
    positions && state !== 'unreadable' ? '' : 'lane positions are lost: rows of the last second may come twice',
  ];
  return {
    level: 'error',
    code: 'MILLRACE_E_STORE_DAMAGED',
    message: `${path} is damaged and was moved to ${aside}: ${parts.filter((part) => part !== '').join('; ')}`,
    details: { rows, lost },
  };
}

/**
 * Makes a new store of what can be read of a damaged one, and puts it in its place; the damaged one stays beside it. `sql`
 * must be on a database of its own. Gives what is to be said about it.
 */
export async function recover(sql: Sql, path: string, stamp: string): Promise<Notice> {
  const aside = `${path}.damaged-${stamp}`;
  const fresh = `${path}.recovering`;
  for (const left of [fresh, `${fresh}.wal`]) await rm(left, { force: true });
  await sql.run(attachStore(fresh, 'fresh', true));
  await sql.run('USE fresh');
  for (const statement of [...createSchema, noteRowGroups]) await sql.run(statement);
  let state: string = await attach(sql, path, aside);
  let found: Salvage = { rows: 0, positions: false, dead: [] };
  if (state !== 'unreadable') {
    try {
      found = await salvage(sql);
    } catch (error) {
      state = 'unreadable';
      found = { rows: 0, positions: false, dead: [] };
      // Half of it would look like all of it.
      if (/space|memory/i.test(messageOf(error))) throw error;
    }
    await sql.run('DETACH damaged');
  }
  await sql.run('USE memory');
  await sql.run('DETACH fresh');
  await rename(`${path}.wal`, `${aside}.wal`).catch(() => undefined);
  // The damaged file has both names before the new one takes the first: there is a store at every instant.
  await link(path, aside);
  await rename(fresh, path);
  return told(path, aside, state, found);
}
