import { quoted } from './connection.js';
import { OWN_COLUMNS } from './columns.js';
import type { ColumnType } from './columns.js';
import type { ColumnText, LanePosition, LegLane, Rows } from './database.js';

/** Text of a statement, and its parameters. */
type Statement = readonly [sql: string, texts: readonly string[]];

/** What the tables look like. */
export const VERSION = '1';

const ownColumns = [...OWN_COLUMNS]
  .map(([name, type]) => `${quoted(name)} ${type}${name === 'event.id' ? ' NOT NULL' : ''}`)
  .join(', ');

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

/** The texts are taken apart by the database, on its own threads. */
export function insertRows({ columns, separator, absent, count }: Rows): Statement {
  const texts = [separator, absent];
  const values: string[] = [];
  const lists: string[] = [];
  const cast = (value: string, type: ColumnType): string => {
    const some = `nullif(${value}, $2)`;
    return type === 'VARCHAR' ? some : type === 'JSON' ? `${some}::JSON` : `TRY_CAST(${some} AS ${type})`;
  };
  columns.forEach(({ type, isConstant, text }: ColumnText, at) => {
    texts.push(text);
    const parameter = `$${texts.length}::VARCHAR`;
    if (!isConstant) lists.push(`unnest(string_split(${parameter}, $1)) AS c${at}`);
    values.push(cast(isConstant ? parameter : `c${at}`, type));
  });
  // Without a list there is no row; of one row everything is constant.
  const source = lists.length > 0 ? `(SELECT ${lists.join(', ')})` : `range(${count})`;
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const sql = `INSERT INTO events (${names}) SELECT ${values.join(', ')} FROM ${source} WHERE $1 <> $2`;
  return [sql, texts];
}

export function putPositions(positions: readonly LanePosition[]): Statement {
  const tuples = positions.map((_, at) => `(${[1, 2, 3, 4].map((n) => `$${4 * at + n}`).join(', ')}::BIGINT)`);
  return [
    `INSERT INTO millrace_positions VALUES ${tuples.join(', ')}
     ON CONFLICT (pipeline, leg, lane) DO UPDATE SET position = excluded.position`,
    positions.flatMap(({ pipeline, leg, lane, position }) => [pipeline, leg, lane, String(position)]),
  ];
}

export function forgetLanes(lanes: readonly LegLane[]): Statement {
  const tuples = lanes.map((_, at) => `($${3 * at + 1}, $${3 * at + 2}, $${3 * at + 3})`);
  return [
    `DELETE FROM millrace_positions WHERE (pipeline, leg, lane) IN (${tuples.join(', ')})`,
    lanes.flatMap(({ pipeline, leg, lane }) => [pipeline, leg, lane]),
  ];
}
