import type { AnswerColumn } from '../sinks/duckdb/database.js';
import { UsageFault } from './command-io.js';
import { identifier, jsonPointer } from './search-sql.js';
import type { Parameters } from './search-sql.js';
import { searchTime, TIME_EXPECTED } from './search-time.js';

const OPERATORS = ['!=', '>=', '<=', '>', '<', '=', '~'] as const;
type Operator = (typeof OPERATORS)[number];

/** One `--where`. */
export interface Comparison {
  readonly field: string;
  readonly operator: Operator;
  readonly value: string;
}

/** Reads `field=value` and its likes: the first operator counts, so a value may hold anything. Throws a UsageFault. */
export function comparisonOf(text: string): Comparison {
  const [, field = '', operator = '', value = ''] = /^([^=<>~!]+)(!=|>=|<=|>|<|=|~)(.*)$/s.exec(text) ?? [];
  const known = OPERATORS.find((each) => each === operator);
  if (known !== undefined && field.trim() !== '') return { field: field.trim(), operator: known, value };
  throw new UsageFault(
    `--where must be FIELD=VALUE, or with != > >= < <= or ~ (a regular expression) between them, but is '${text}'`,
  );
}

/** What a store's table says about a field. Every other field is a key of the column `fields`. */
export type Columns = readonly AnswerColumn[];

/** Columns that no field of an event is in. A field of such a name is a key of `fields`. */
export const OWN_COLUMNS: readonly string[] = ['pipeline', 'route', 'ingested', 'fields'];

/** The text of a field that has no column, or whose value did not fit into it. Dots may be part of a key, or lead on. */
function keyText(field: string, parameters: Parameters): string {
  const at = (keys: readonly string[]): string =>
    `json_extract_string("fields", ${parameters.text(jsonPointer(keys))})`;
  return field.includes('.') ? `coalesce(${at([field])}, ${at(field.split('.'))})` : at([field]);
}

function columnOf(field: string, columns: Columns): AnswerColumn | undefined {
  return columns.find(({ name }) => name === field);
}

/** The text of a field, be it in a column or a key of `fields`. */
export function fieldText(field: string, columns: Columns, parameters: Parameters): string {
  const column = columnOf(field, columns);
  if (column === undefined) return keyText(field, parameters);
  const text = column.type === 'VARCHAR' ? identifier(field) : `CAST(${identifier(field)} AS VARCHAR)`;
  return OWN_COLUMNS.includes(field) ? text : `coalesce(${text}, ${keyText(field, parameters)})`;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const NUMERIC = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;

/** A comparison as SQL. Throws a UsageFault when the value is none that the field's column can have. */
export function whereSql(comparison: Comparison, columns: Columns, parameters: Parameters, nowMs: number): string {
  const { field, operator, value } = comparison;
  if (operator === '~') {
    return `regexp_matches(${fieldText(field, columns, parameters)}, ${parameters.text(value)})`;
  }
  if (operator === '=' || operator === '!=') {
    const isEqual = equalSql(comparison, columns, parameters, nowMs);
    // An event without the field is not equal either.
    return operator === '=' ? `(${isEqual})` : `NOT coalesce(${isEqual}, FALSE)`;
  }
  const typed = typedValue(comparison, columnOf(field, columns), parameters, nowMs);
  if (typed !== undefined) return `${identifier(field)} ${operator} ${typed}`;
  const text = fieldText(field, columns, parameters);
  return NUMBER.test(value)
    ? `TRY_CAST(${text} AS DOUBLE) ${operator} ${parameters.number(value)}`
    : `${text} ${operator} ${parameters.text(value)}`;
}

function equalSql(comparison: Comparison, columns: Columns, parameters: Parameters, nowMs: number): string {
  const { field, value } = comparison;
  const column = columnOf(field, columns);
  const typed = typedValue(comparison, column, parameters, nowMs);
  if (typed !== undefined) return `${identifier(field)} = ${typed}`;
  const inKey = (): string => {
    const isText = `${keyText(field, parameters)} = ${parameters.text(value)}`;
    if (!NUMBER.test(value)) return isText;
    // 5 is also 5.0.
    return `${isText} OR TRY_CAST(${keyText(field, parameters)} AS DOUBLE) = ${parameters.number(value)}`;
  };
  if (column === undefined) return inKey();
  const name = identifier(field);
  const text = column.type === 'VARCHAR' ? name : `CAST(${name} AS VARCHAR)`;
  const isColumn = `${text} = ${parameters.text(value)}`;
  return OWN_COLUMNS.includes(field) ? isColumn : `${isColumn} OR (${name} IS NULL AND (${inKey()}))`;
}

/** The value as the column has it; undefined where texts are compared. */
function typedValue(
  { field, value }: Comparison,
  column: AnswerColumn | undefined,
  parameters: Parameters,
  nowMs: number,
): string | undefined {
  if (column === undefined) return undefined;
  const expected = (what: string): UsageFault =>
    new UsageFault(`--where ${field}: expected ${what}, or ~ and a regular expression, but is '${value}'`);
  if (NUMERIC.test(column.type)) {
    if (!NUMBER.test(value)) throw expected('a number');
    return parameters.number(value);
  }
  if (column.type === 'TIMESTAMP') {
    const time = searchTime(value, nowMs);
    if (time === undefined) throw expected(TIME_EXPECTED);
    return parameters.time(time);
  }
  if (column.type !== 'BOOLEAN') return undefined;
  if (!/^(?:true|false)$/i.test(value)) throw expected('true or false');
  return value.toUpperCase();
}
