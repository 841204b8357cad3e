import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';

/** SQL without parameters, for what is seldom done. */
export interface Sql {
  run(sql: string): Promise<unknown>;
  rows(sql: string): Promise<readonly (readonly DuckDBValue[])[]>;
}

export function sqlOn(connection: DuckDBConnection): Sql {
  return {
    run: (sql) => connection.run(sql),
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRows(),
  };
}

/** A text as SQL has it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
