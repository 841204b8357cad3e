import type { SchedulerLike } from 'rxjs';
import type { Files } from './model/files.js';
import type { Given } from './model/given.js';
import type { Source } from './model/source.js';
import { nodeFiles } from './service/node-files.js';
import { tailSourceOf } from './service/resources/tail.js';
import { validated } from './service/resources/validated.js';
import { tailOptions } from './sources/tail/options.js';
import type { TailOptions } from './sources/tail/options.js';
import type { TailPorts as Ports } from './sources/tail/tail-source.js';

export { fromTail } from './sources/tail/from-tail.js';
export type { FromTailConfig } from './sources/tail/from-tail.js';
export type * from './model/files.js';

/** Which files are read, and how: the keys of `tail` in a configuration. */
export interface TailSourceConfig extends Given<Omit<TailOptions, 'paths' | 'multiline'>> {
  /** Paths and glob patterns of the files: one, or a list. */
  readonly paths: string | readonly string[];
  /** Lines that belong together are one event: either `start` or `continuation`, and limits. */
  readonly multiline?: Given<Exclude<TailOptions['multiline'], undefined>>;
}

/** The file system: Node's, unless another is given. */
export interface TailPorts extends Given<Ports> {
  readonly files?: Files;
  /** Where relative paths start; the working directory when not given. */
  readonly cwd?: string;
}

/**
 * Reads files and follows them as they grow and rotate; every incarnation of a file is a lane. Nothing is read while
 * demand is shut: the file is the buffer. For looking at one file without positions there is `fromTail`.
 *
 * - throws MILLRACE_E_CONFIG_INVALID at once, with everything that is wrong with the options.
 * - what cannot be read is reported (MILLRACE_E_FILE_…) and tried again.
 * - memory: an entry a file; at most `maxOpenFiles` files are open.
 */
export function tailSource(
  config: TailSourceConfig,
  { files = nodeFiles, cwd = '', ...ports }: TailPorts = {},
  scheduler?: SchedulerLike,
): Source {
  return tailSourceOf(validated(tailOptions, config, 'tailSource'), { ...ports, files, cwd }, scheduler);
}
