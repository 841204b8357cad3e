import type { Json } from '../model/json.js';
import type { Answer } from '../sinks/duckdb/database.js';
import type { Query } from './read-only-answer.js';
import type { Matching } from './search-query.js';
import type { Store } from './search-store.js';

/** A store, and what it is asked for. */
export interface Asked {
  readonly store: Store;
  readonly match: Matching;
}

export type Row = readonly Json[];

/** A whole answer. Only for those that are short, or limited. */
export async function allRows({ rows }: Answer): Promise<readonly Row[]> {
  const all: Row[] = [];
  for await (const run of rows) for (const row of run) all.push(row);
  return all;
}

/** Asks every store at the same time; the rows of each. */
export function askAll(
  asked: readonly Asked[],
  query: (match: Matching) => Query,
  signal: AbortSignal,
): Promise<readonly (readonly Row[])[]> {
  return Promise.all(asked.map(async ({ store, match }) => allRows(await store.answer(query(match), signal))));
}

/** A value as a text: a text as it is, nothing as '', the rest as JSON. */
export function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
