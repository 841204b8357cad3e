import { levelNames, severityOf } from '../model/severity.js';
import type { Query } from './read-only-answer.js';
import type { Filters } from './search-arguments.js';
import { identifier, Parameters } from './search-sql.js';
import { fieldText, OWN_COLUMNS, whereSql } from './search-where.js';
import type { Columns } from './search-where.js';

/** The table's columns. */
export const columnsQuery: Query = { sql: 'DESCRIBE events' };

/** Some events, by name: those of the search, before they are counted or shown. */
export interface Matching {
  readonly filters: Filters;
  readonly columns: Columns;
  readonly nowMs: number;
}

/**
 * Events that match, each with its `time`: when it happened, or was taken in where nobody knows. The two kinds are asked
 * for apart, because only a comparison of a bare column lets DuckDB leave out most of the file.
 */
function matching(
  { filters, columns, nowMs }: Matching,
  selected: (parameters: Parameters) => string,
  parameters: Parameters,
  newest = '',
): string {
  const part = (time: string, isDated: string): string => {
    const conditions = [
      isDated,
      ...timeSql(time, filters, parameters),
      ...filterSql(filters, columns, parameters, nowMs),
    ];
    const order = newest === '' ? '' : ` ORDER BY ${time} DESC, rowid DESC ${newest}`;
    return `(SELECT ${selected(parameters)}, ${time} AS "time" FROM events WHERE ${conditions.join(' AND ')}${order})`;
  };
  return `${part('"@timestamp"', '"@timestamp" IS NOT NULL')} UNION ALL ${part('"ingested"', '"@timestamp" IS NULL')}`;
}

function timeSql(time: string, { since, until }: Filters, parameters: Parameters): string[] {
  return [
    ...(since === undefined ? [] : [`${time} >= ${parameters.time(since)}`]),
    ...(until === undefined ? [] : [`${time} < ${parameters.time(until)}`]),
  ];
}

function filterSql(filters: Filters, columns: Columns, parameters: Parameters, nowMs: number): string[] {
  const { text, severities, minSeverity, where } = filters;
  return [
    ...(severities === undefined ? [] : [levelSql(columns, parameters, (severity) => severities.includes(severity))]),
    ...(minSeverity === undefined ? [] : [levelSql(columns, parameters, (severity) => severity >= minSeverity)]),
    ...where.map((each) => whereSql(each, columns, parameters, nowMs)),
    // The dearest test comes last.
    ...(text === undefined ? [] : [`contains(lower("message"), lower(${parameters.text(text)}))`]),
  ];
}

/** OpenTelemetry's scale. */
const SEVERITIES = Array.from({ length: 24 }, (_, at) => at + 1);

/** A severity, or, where nobody has normalised it, the name of one. */
function levelSql(columns: Columns, parameters: Parameters, admits: (severity: number) => boolean): string {
  const severities = SEVERITIES.filter(admits);
  const names = levelNames.filter((name) => admits(severityOf(name) ?? 0));
  const level = `lower(trim(coalesce("log.level", ${fieldText('level', columns, parameters)})))`;
  const isNamed = `"event.severity" IS NULL AND ${level} IN (${names.map((name) => parameters.text(name)).join(', ')})`;
  return `("event.severity" IN (${severities.join(', ')}) OR (${isNamed}))`;
}

/** The newest events that match, newest first, with every column of the table, then `time` and `row`. */
export function newestQuery(match: Matching, limit: number): Query {
  const parameters = new Parameters();
  const newest = `LIMIT ${limit}`;
  const rows = matching(match, () => `${namesOf(match.columns)}, rowid AS "row"`, parameters, newest);
  return { sql: `SELECT * FROM (${rows}) ORDER BY "time" DESC, "row" DESC ${newest}`, parameters: parameters.values };
}

/** Every event that matches, in the order of the table, which is that of their arrival: the first come at once. */
export function everyQuery(match: Matching): Query {
  const parameters = new Parameters();
  return { sql: matching(match, () => namesOf(match.columns), parameters), parameters: parameters.values };
}

/** Without what the store itself notes about an event: what is left is what was stored. */
function namesOf(columns: Columns): string {
  return columns
    .filter(({ name }) => name === 'fields' || !OWN_COLUMNS.includes(name))
    .map(({ name }) => identifier(name))
    .join(', ');
}

/** The most frequent values of a field: value (a text), its count, the count of all events, the number of values. */
export function countQuery(match: Matching, field: string, limit: number): Query {
  const parameters = new Parameters();
  const rows = matching(match, (of) => `${fieldText(field, match.columns, of)} AS "value"`, parameters);
  return {
    sql: `SELECT "value", count(*) AS "count", sum(count(*)) OVER (), count(*) OVER () FROM (${rows})
      GROUP BY "value" ORDER BY "count" DESC, "value" LIMIT ${limit}`,
    parameters: parameters.values,
  };
}

/** One row: first and last time of the events that match, in microseconds since 1970. */
export function spanQuery(match: Matching): Query {
  const parameters = new Parameters();
  const rows = matching(match, () => '1', parameters);
  return {
    sql: `SELECT epoch_us(min("time")), epoch_us(max("time")) FROM (${rows})`,
    parameters: parameters.values,
  };
}

/** How many events are in each stretch of time: its number, counted from the start, and the count. */
export function histogramQuery(match: Matching, startMs: number, widthMs: number): Query {
  const parameters = new Parameters();
  const rows = matching(match, () => '1', parameters);
  const bucket = `(epoch_us("time") - ${Math.floor(startMs * 1000)}) // ${Math.floor(widthMs * 1000)}`;
  return {
    sql: `SELECT ${bucket} AS "bucket", count(*) FROM (${rows}) GROUP BY "bucket"`,
    parameters: parameters.values,
  };
}

/** The names of fields that have no column, of the events that came last. */
export const keysQuery: Query = {
  sql: `SELECT DISTINCT unnest(json_keys("fields")) FROM (SELECT "fields" FROM events WHERE "fields" IS NOT NULL
    AND rowid >= (SELECT max(rowid) FROM events) - 100000)`,
};

/** One row if any event at all has the field. */
export function existsQuery(columns: Columns, field: string): Query {
  const parameters = new Parameters();
  return {
    sql: `SELECT 1 FROM events WHERE ${fieldText(field, columns, parameters)} IS NOT NULL LIMIT 1`,
    parameters: parameters.values,
  };
}
