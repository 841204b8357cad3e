import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError, formatFault, loadConfig } from '../config/load.js';
import type { LoadedPipeline } from '../config/load.js';
import { sinksOf } from '../config/schema.js';
import type { PipelineConfig, SinkOptions } from '../config/schema.js';
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
        faults.push(...clashes(path, loaded, cwd, places));
      }
    } catch (error) {
      if (error instanceof ConfigError) faults.push(...error.faults.map(formatFault));
      else faults.push(`${path}: ${whyUnreadable(error)}`);
    }
  }
  return { pipelines, faults };
}

function whyUnreadable(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder, expected a file';
  return messageOf(error);
}

/** Two files may hold pipelines that would be one, or write one file: inside a file, the loader has looked. */
function clashes(path: string, { config }: LoadedPipeline, cwd: string, places: Map<string, string>): string[] {
  return claimsOf(config, cwd).flatMap(({ of, key, expected }) => {
    const other = places.get(of);
    places.set(of, path);
    // The value itself may be a secret.
    return other === undefined || other === path
      ? []
      : [`${path}: ${key}: expected ${expected}: ${other} has the same`];
  });
}

/** Something that only one may have. */
interface Claim {
  readonly of: string;
  readonly key: string;
  readonly expected: string;
}

function claimsOf({ name, checkpoint, routes, deadLetter }: PipelineConfig, cwd: string): Claim[] {
  const file = (key: string, path: string): Claim => ({
    of: `file ${resolve(cwd, path)}`,
    key,
    expected: 'a file that nothing else writes',
  });
  const written = (key: string, sink: SinkOptions | undefined): Claim[] =>
    sink !== undefined && 'file' in sink ? [file(key, sink.file.path)] : [];
  return [
    { of: `name ${name}`, key: 'name', expected: 'a name of its own' },
    file('checkpoint.path', checkpoint.path),
    ...routes.flatMap((route) => sinksOf(route).flatMap((each) => written(`route ${each.name}`, each.sink))),
    ...written('deadLetter', deadLetter),
  ];
}
