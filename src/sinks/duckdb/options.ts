import { z } from 'zod';

/** Where and how long events are stored. */
export interface DuckdbSinkOptions {
  /** The database; its folder is made if there is none. Pipelines that name the same file share it. */
  readonly path: string;
  /** What DuckDB may use of memory, in bytes; queries that need more go to disk. */
  readonly memoryBytes: number;
  /** Threads of DuckDB. */
  readonly threads: number;
}

export const duckdbSinkOptions: z.ZodType<DuckdbSinkOptions> = z
  .strictObject({
    path: z.string().min(1).describe('The database; its folder is made if there is none. Pipelines may share it.'),
    memoryBytes: z
      .int()
      .min(33_554_432)
      .default(100_663_296)
      .describe('What DuckDB may use of memory; queries that need more go to disk.'),
    threads: z.int().min(1).max(256).default(2).describe('Threads of DuckDB.'),
  })
  .describe('Stores events in a DuckDB database, each once, to be searched.');
