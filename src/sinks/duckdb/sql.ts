import { literal, quoted } from './connection.js';
import { OWN_COLUMNS } from './columns.js';
import type { ColumnType } from './columns.js';
import type { LanePosition, LegLane, RowColumn } from './database.js';

/** What the tables look like. */
export const VERSION = '1';

/** Rows of a row group: DuckDB compresses and writes that many of a column together. */
export const ROW_GROUP_ROWS = 30_720;

/** Ids never repeat and messages seldom: what DuckDB tries first with texts would only cost time. */
const ZSTD = ['event.id', 'message'];

const ownColumns = [...OWN_COLUMNS]
  .map(([name, type]) => {
    const compression = ZSTD.includes(name) ? ' USING COMPRESSION zstd' : '';
    return `${quoted(name)} ${type}${name === 'event.id' ? ' NOT NULL' : ''}${compression}`;
  })
  .join(', ');

/** Where a store says how large its row groups are. Older ones do not, and have DuckDB's. */
const ROW_GROUP_KEY = 'row_group_rows';

/**
 * Opens a store's file under a name, or makes it; DuckDB from 1.3 on can read it. `hasOurRowGroups`: what `askRowGroups` says;
 * with another size than that it was made with, DuckDB 1.5 fails to add rows.
 */
export function attachStore(path: string, name: string, hasOurRowGroups: boolean): string {
  const size = hasOurRowGroups ? `ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, ` : '';
  return `ATTACH ${literal(path)} AS ${name} (${size}STORAGE_VERSION 'v1.3.0')`;
}

/** Gives a row if the store of the name was made with our row groups. */
export function askRowGroups(name: string): string {
  return `SELECT 1 FROM ${name}.millrace_meta WHERE key = '${ROW_GROUP_KEY}' AND value = '${ROW_GROUP_ROWS}'`;
}

/** For a new file. */
export const noteRowGroups: string = `INSERT INTO millrace_meta VALUES ('${ROW_GROUP_KEY}', '${ROW_GROUP_ROWS}')`;

/** Makes what is not there. */
export const createSchema: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS millrace_meta (key VARCHAR PRIMARY KEY, value VARCHAR)',
  `INSERT OR IGNORE INTO millrace_meta VALUES ('version', '${VERSION}')`,
  'CREATE TABLE IF NOT EXISTS millrace_positions (pipeline VARCHAR, leg VARCHAR, lane VARCHAR, position BIGINT, PRIMARY KEY (pipeline, leg, lane))',
  `CREATE TABLE IF NOT EXISTS events (${ownColumns})`,
];

export function addColumn(name: string, type: ColumnType): string {
  return `ALTER TABLE events ADD COLUMN IF NOT EXISTS ${quoted(name)} ${type}`;
}

/** Takes rows from its parameter, their JSON. The database takes them apart, on its own threads. */
export function insertRows(columns: readonly RowColumn[]): string {
  const keys = columns.map(({ type }, key) => `"${key}":"${type === 'JSON' ? 'JSON' : 'VARCHAR'}"`).join(',');
  const values = columns.map(({ type }, key) => {
    const value = `coalesce(r."${key}", g."${key}")`;
    return type === 'VARCHAR' || type === 'JSON' ? value : `TRY_CAST(${value} AS ${type})`;
  });
  const groups = `unnest(from_json(decode($1), '[{${keys},"rows":[{${keys}}]}]')) AS g`;
  return `INSERT INTO events (${columns.map(({ name }) => quoted(name)).join(', ')}) SELECT ${values.join(', ')}
    FROM (SELECT g, unnest(g.rows) AS r FROM (SELECT ${groups}))`;
}

export function putPositions(positions: readonly LanePosition[]): string {
  const tuples = positions.map((each) => `(${laneOf(each)}, ${each.position})`);
  return `INSERT INTO millrace_positions VALUES ${tuples.join(', ')}
    ON CONFLICT (pipeline, leg, lane) DO UPDATE SET position = excluded.position`;
}

export function forgetLanes(lanes: readonly LegLane[]): string {
  const tuples = lanes.map((each) => `(${laneOf(each)})`);
  return `DELETE FROM millrace_positions WHERE (pipeline, leg, lane) IN (${tuples.join(', ')})`;
}

function laneOf({ pipeline, leg, lane }: LegLane): string {
  return [pipeline, leg, lane].map(literal).join(', ');
}
