import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import type { Rows } from './database.js';
import { insertRows } from './sql.js';

/** Inserts rows by a prepared statement, which is kept: the next rows mostly have the same columns. */
export class Insertion {
  #last: { readonly sql: string; readonly statement: DuckDBPreparedStatement } | undefined;

  async insert(writer: DuckDBConnection, { columns, pieces }: Rows): Promise<void> {
    const sql = insertRows(columns);
    if (this.#last?.sql !== sql) {
      this.close();
      this.#last = { sql, statement: await writer.prepare(sql) };
    }
    const { statement } = this.#last;
    for (const piece of pieces) {
      statement.bindBlob(1, piece);
      await statement.run();
    }
  }

  /** Before the connection it was prepared on. */
  close(): void {
    this.#last?.statement.destroySync();
    this.#last = undefined;
  }
}
