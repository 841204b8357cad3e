import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError, formatFault, loadConfig } from '../config/load.js';
import type { LoadedPipeline } from '../config/load.js';
import { messageOf } from '../model/errors.js';

/** Where configurations are read. */
export interface ConfigPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** A configuration that is not in a file. */
interface ConfigText {
  /** What faults call it. */
  readonly file: string;
  readonly text: string;
}

/** All pipelines of the files (and texts), or every fault of all of them as lines for people. */
export function loadConfigurations(
  configurations: readonly (string | ConfigText)[],
  { env, cwd }: ConfigPlace,
): { readonly pipelines: readonly LoadedPipeline[]; readonly faults: readonly string[] } {
  const pipelines: LoadedPipeline[] = [];
  const faults: string[] = [];
  const places = new Map<string, string>();
  const readSecret = (path: string): string => readFileSync(resolve(cwd, path), 'utf8');
  for (const configuration of configurations) {
    const path = typeof configuration === 'string' ? configuration : configuration.file;
    try {
      const text =
        typeof configuration === 'string' ? readFileSync(resolve(cwd, configuration), 'utf8') : configuration.text;
      for (const loaded of loadConfig(text, path, { env, readSecret, cwd }).pipelines) {
        pipelines.push(loaded);
        faults.push(...clashes(path, loaded, places));
      }
    } catch (error) {
      if (error instanceof ConfigError) faults.push(...error.faults.map(formatFault));
      else faults.push(`${path}: ${messageOf(error)}`);
    }
  }
  return { pipelines, faults };
}

/** Two files may hold pipelines that would be one: inside a file, the loader has looked. */
function clashes(path: string, { config }: LoadedPipeline, places: Map<string, string>): string[] {
  const claims = [`pipeline name ${config.name}`, `checkpoint ${config.checkpoint.path}`];
  return claims.flatMap((claim) => {
    const other = places.get(claim);
    places.set(claim, path);
    return other === undefined || other === path ? [] : [`${path}: the ${claim} is also in ${other}`];
  });
}
