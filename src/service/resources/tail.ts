import { resolve } from 'node:path';
import type { SchedulerLike } from 'rxjs';
import type { Source } from '../../model/source.js';
import type { TailOptions } from '../../sources/tail/options.js';
import { tailSource } from '../../sources/tail/tail-source.js';
import type { TailPorts } from '../../sources/tail/tail-source.js';

/** Relative paths start at `cwd`. */
export function tailSourceOf(
  options: TailOptions,
  ports: TailPorts & { readonly cwd: string },
  scheduler?: SchedulerLike,
): Source {
  const absolute = (pattern: string): string => resolve(ports.cwd, pattern);
  const { paths, exclude } = options;
  return tailSource({ ...options, paths: paths.map(absolute), exclude: exclude.map(absolute) }, ports, scheduler);
}
