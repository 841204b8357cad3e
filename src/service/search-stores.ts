import { resolve } from 'node:path';
import { sinksOf } from '../config/schema.js';
import { loadConfigurations } from './configurations.js';
import type { ConfigPlace } from './configurations.js';

/** The absolute paths of the stores that a configuration's pipelines write, each once; or the configuration's faults. */
export function storesOf(
  configuration: string,
  place: ConfigPlace,
): { readonly paths: readonly string[]; readonly faults: readonly string[] } {
  const { pipelines, faults } = loadConfigurations([configuration], place);
  const sinks = pipelines.flatMap(({ config }) => config.routes.flatMap(sinksOf)).map(({ sink }) => sink);
  const paths = sinks.flatMap((sink) => ('duckdb' in sink ? [resolve(place.cwd, sink.duckdb.path)] : []));
  return { paths: [...new Set(paths)], faults };
}
