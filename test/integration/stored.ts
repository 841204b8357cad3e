import { DuckDBInstance } from '@duckdb/node-api';
import type { Database } from '../../src/sinks/duckdb/database.js';

/** Opens a store that nobody else has open, asks it, and closes it again. */
export async function ask(path: string, sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(path);
  try {
    const connection = await instance.connect();
    try {
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** What an open store answers, row by row, by column name. */
export async function answered(database: Database, sql: string): Promise<Record<string, unknown>[]> {
  const connection = await database.connect();
  try {
    const { columns, rows } = await connection.answer(sql);
    const all: Record<string, unknown>[] = [];
    for await (const run of rows) {
      all.push(...run.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]]))));
    }
    return all;
  } finally {
    connection.close();
  }
}
