import { z } from 'zod';

/** Where and how long events are stored. */
export interface DuckdbSinkOptions {
  /** The database; its folder is made if there is none. Pipelines that name the same file share it. */
  readonly path: string;
  /** What DuckDB may use of memory, in bytes; queries that need more go to disk. */
  readonly memoryBytes: number;
  /** Threads of DuckDB: one is quickest to store, more make large searches quicker. */
  readonly threads: number;
  /** Rows that were stored longer ago are removed; all are kept when not given. */
  readonly retention?: { readonly maxAgeDays: number };
  /** Rows are also written as Parquet files, `level=…/date=…`. */
  readonly export?: ExportOptions;
}

/** When and where rows are exported. */
interface ExportOptions {
  /** The folder. */
  readonly path: string;
  /** Whenever a day (in UTC) or an hour is over. */
  readonly every: 'day' | 'hour';
  /** And whenever this much text was stored since. */
  readonly maxBytes: number;
}

export const duckdbSinkOptions: z.ZodType<DuckdbSinkOptions> = z
  .strictObject({
    path: z.string().min(1).describe('The database; its folder is made if there is none. Pipelines may share it.'),
    memoryBytes: z
      .int()
      .min(33_554_432)
      .default(100_663_296)
      .describe('What DuckDB may use of memory; queries that need more go to disk.'),
    threads: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe('Threads of DuckDB. One is quickest to store; more make large searches quicker.'),
    retention: z
      .strictObject({
        maxAgeDays: z.number().positive().max(36_500).describe('Days after which what was stored is removed.'),
      })
      .exactOptional()
      .describe('How long rows stay, counted from when they were stored.'),
    export: z
      .strictObject({
        path: z.string().min(1).describe('The folder of the Parquet files: level=…/date=….'),
        every: z.enum(['day', 'hour']).default('day').describe('Exports whenever a day (in UTC) or an hour is over.'),
        maxBytes: z
          .int()
          .min(1024)
          .default(268_435_456)
          .describe('Exports sooner when so much text was stored since the last time.'),
      })
      .exactOptional()
      .describe('Writes rows as Parquet files as well.'),
  })
  .describe('Stores events in a DuckDB database, each once, to be searched.');
