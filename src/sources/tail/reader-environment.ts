import type { SchedulerLike } from 'rxjs';
import type { Files } from '../../model/files.js';
import type { SourceContext } from '../../model/source.js';
import type { BufferPool } from './buffer-pool.js';
import type { Incarnation } from './incarnation.js';
import type { TailOptions } from './options.js';

/** What all lanes of a source share. */
export interface ReaderEnvironment {
  readonly files: Files;
  readonly options: TailOptions;
  readonly context: SourceContext;
  readonly scheduler: SchedulerLike;
  readonly buffers: BufferPool;
  readonly blockBytes: number;
  /** Open, and waiting for their files to grow; the longest first. */
  readonly idle: Set<Incarnation>;
  /** Something about the file is not as expected: look at all of them. */
  readonly lookSoon: () => void;
  /** Other incarnations wait until this one is closed. */
  readonly othersWait: () => boolean;
}
