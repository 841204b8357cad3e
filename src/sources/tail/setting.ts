import type { SchedulerLike } from 'rxjs';
import type { Files } from '../../model/files.js';
import type { SourceContext } from '../../model/source.js';
import type { ArchiveFormat } from './archive-file.js';
import type { TailOptions } from './options.js';
import type { Registry } from './registry.js';

/** What the parts of an open source share. */
export interface Setting {
  readonly options: TailOptions;
  readonly files: Files;
  /** Whether archives of the format can be read. */
  readonly canUnpack: (format: ArchiveFormat) => boolean;
  /** A new random incarnation id. */
  readonly mint: () => string;
  readonly context: SourceContext;
  readonly scheduler: SchedulerLike;
  /** So much of a file is read at a time. */
  readonly blockBytes: number;
  readonly registry: Registry;
}
