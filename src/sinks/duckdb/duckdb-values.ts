import type { DuckDBValue } from '@duckdb/node-api';
import type { Json } from '../../model/json.js';
import type { Row } from './database.js';

/** A row by column name, as JSON can say it. */
export function rowOf(names: readonly string[], values: readonly DuckDBValue[]): Row {
  return Object.fromEntries(names.map((name, at) => [name, jsonOf(values[at] ?? null)]));
}

function jsonOf(value: DuckDBValue): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if ('items' in value) return value.items.map(jsonOf);
  // Every value class of DuckDB's writes itself as SQL does.
  const text = (value as { toString: () => string }).toString();
  return TIMESTAMP.test(text) ? `${text.replace(' ', 'T')}Z` : text;
}

const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$/;
