import { asyncScheduler, defer, finalize } from 'rxjs';
import type { Given } from './model/given.js';
import type { Notice } from './model/notice.js';
import type { SinkResource } from './model/sink.js';
import { duckdbSinkOf } from './service/resources/duckdb.js';
import { validated } from './service/resources/validated.js';
import { duckdbDatabase } from './sinks/duckdb/duckdb-database.js';
import { duckdbSinkOptions } from './sinks/duckdb/options.js';
import type { DuckdbSinkOptions } from './sinks/duckdb/options.js';
import { Stores } from './sinks/duckdb/stores.js';

type ExportOptions = Exclude<DuckdbSinkOptions['export'], undefined>;

/** Where and how long events are stored: the keys of `duckdb` under `to` in a configuration. */
export interface DuckdbSinkConfig extends Given<Omit<DuckdbSinkOptions, 'export'>, 'path'> {
  /** Rows are also written as Parquet files, `level=…/date=…`. */
  readonly export?: Given<ExportOptions, 'path'>;
}

/** Who hears of what a store reports: all that have one open. */
const listeners = new Set<(notice: Notice) => void>();

// DuckDB's lock does not tell two openings in one process apart, so the process is what must know its stores.
const stores = new Stores({
  openDatabase: duckdbDatabase,
  scheduler: asyncScheduler,
  report: (notice) => {
    for (const report of listeners) report(notice);
  },
});

/**
 * Stores events in a DuckDB database, each once: rows and lane positions are one transaction. Sinks that name the same
 * file share it. The optional package `@duckdb/node-api` is loaded when the sink is opened.
 *
 * - throws MILLRACE_E_CONFIG_INVALID at once, with everything that is wrong with the options, or when they differ from
 *   those that the same file was given before.
 * - errors: MILLRACE_E_STORE_… and MILLRACE_E_FILE_…; without the package MILLRACE_E_STORE_PACKAGE.
 * - memory: one group of deliveries as text, beside what DuckDB may use (`memoryBytes`).
 */
export function duckdbSink(config: DuckdbSinkConfig): SinkResource {
  const sink = duckdbSinkOf(validated(duckdbSinkOptions, config, 'duckdbSink'), { stores, cwd: '' });
  return {
    name: sink.name,
    open: (context) =>
      defer(() => {
        const report = (notice: Notice): void => context.report(notice);
        listeners.add(report);
        return sink.open(context).pipe(finalize(() => listeners.delete(report)));
      }),
  };
}
