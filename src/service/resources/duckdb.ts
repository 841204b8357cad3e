import { resolve } from 'node:path';
import type { SinkResource } from '../../model/sink.js';
import { duckdbSink } from '../../sinks/duckdb/duckdb-sink.js';
import type { DuckdbSinkOptions } from '../../sinks/duckdb/options.js';
import type { Stores } from '../../sinks/duckdb/stores.js';

/** Relative paths start at `cwd`. */
export function duckdbSinkOf(
  options: DuckdbSinkOptions,
  { stores, cwd }: { readonly stores: Stores; readonly cwd: string },
): SinkResource {
  const { path, export: exporting } = options;
  const absolute = exporting === undefined ? {} : { export: { ...exporting, path: resolve(cwd, exporting.path) } };
  return duckdbSink({ ...options, ...absolute, path: resolve(cwd, path) }, stores);
}
