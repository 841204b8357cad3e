import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Upkeep } from './database.js';
import { literal } from './connection.js';
import type { Sql } from './connection.js';

/** Rows before this were exported. */
const EXPORTED = 'export.from';
/** An export up to this has begun. */
const EXPORTING = 'export.to';
const BEGINNING = '0001-01-01T00:00:00.000Z';

const LEVELS =
  "CASE \"event.severity\" WHEN 1 THEN 'TRACE' WHEN 5 THEN 'DEBUG' WHEN 9 THEN 'INFO' WHEN 13 THEN 'WARN' WHEN 17 THEN 'ERROR' WHEN 21 THEN 'FATAL' ELSE 'UNKNOWN' END";

async function metaOf(sql: Sql, key: string): Promise<string | undefined> {
  const [row] = await sql.rows(`SELECT value FROM millrace_meta WHERE key = ${literal(key)}`);
  return row === undefined ? undefined : String(row[0]);
}

const putMeta = (key: string, value: string): string =>
  `INSERT OR REPLACE INTO millrace_meta VALUES (${literal(key)}, ${literal(value)})`;

/** What an export that was cut short had put in place already. */
async function removeUnfinished(folder: string, name: string): Promise<void> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  for (const file of files) if (basename(file).startsWith(name)) await rm(join(folder, file));
}

/**
 * Writes the rows that were stored before `until` and not exported yet as Parquet files, `level=…/date=…`. Each file is
 * written under a hidden name and renamed when it is whole. An export that a crash has cut short is done again for the
 * same rows, under the same names.
 */
async function exportRows(sql: Sql, folder: string, until: string): Promise<void> {
  const from = (await metaOf(sql, EXPORTED)) ?? BEGINNING;
  const begun = await metaOf(sql, EXPORTING);
  const to = begun ?? until;
  if (to <= from) return;
  const name = to.replaceAll(/[-:.]/g, '');
  if (begun === undefined) await sql.run(putMeta(EXPORTING, to));
  else await removeUnfinished(folder, name);
  const hidden = join(folder, '.unfinished');
  await rm(hidden, { recursive: true, force: true });
  await mkdir(hidden, { recursive: true });
  const where = `ingested >= TIMESTAMP ${literal(from.slice(0, -1))} AND ingested < TIMESTAMP ${literal(to.slice(0, -1))}`;
  await sql.run(
    `COPY (SELECT *, ${LEVELS} AS level, strftime(coalesce("@timestamp", ingested), '%Y-%m-%d') AS date FROM events WHERE ${where})
     TO ${literal(hidden)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (level, date), OVERWRITE_OR_IGNORE)`,
  );
  const files = (await readdir(hidden, { recursive: true })).filter((path) => path.endsWith('.parquet')).sort();
  const placed = new Map<string, number>();
  for (const file of files) {
    const into = join(folder, dirname(file));
    const nth = placed.get(into) ?? 0;
    placed.set(into, nth + 1);
    await mkdir(into, { recursive: true });
    await rename(join(hidden, file), join(into, nth === 0 ? `${name}.parquet` : `${name}-${nth}.parquet`));
  }
  await rm(hidden, { recursive: true, force: true });
  await sql.run('BEGIN');
  await sql.run(putMeta(EXPORTED, to));
  await sql.run(`DELETE FROM millrace_meta WHERE key = ${literal(EXPORTING)}`);
  await sql.run('COMMIT');
}

/**
 * Removes what was stored before a time. Rows lie in the order in which they were stored, so whole row groups become
 * free, and a checkpoint gives their blocks to new rows. What an export still has to take stays.
 */
async function removeRows(sql: Sql, before: string, hasExport: boolean): Promise<void> {
  const exported = hasExport ? ((await metaOf(sql, EXPORTED)) ?? BEGINNING) : before;
  const bound = exported < before ? exported : before;
  await sql.run(`DELETE FROM events WHERE ingested < TIMESTAMP ${literal(bound.slice(0, -1))}`);
  // Impossible while somebody searches: then the next one does it.
  await sql.run('CHECKPOINT').catch(() => undefined);
}

/** First exported, then removed. */
export async function keepUp(sql: Sql, { exportFolder, exportUntil, removeBefore }: Upkeep): Promise<void> {
  if (exportFolder !== undefined && exportUntil !== undefined) await exportRows(sql, exportFolder, exportUntil);
  if (removeBefore !== undefined) await removeRows(sql, removeBefore, exportFolder !== undefined);
}
