import { resolve } from 'node:path';
import type { SchedulerLike } from 'rxjs';
import type { DeadLetter } from '../../model/dead-letter.js';
import type { Files } from '../../model/files.js';
import type { SinkResource } from '../../model/sink.js';
import { fileSink } from '../../sinks/file/file-sink.js';
import type { FileSinkConfig } from '../../sinks/file/file-sink.js';
import { gzipBlock } from '../../sinks/file/gzip.js';
import type { FileSinkOptions } from '../../sinks/file/options.js';
import { deadLetterLines, eventLines } from '../line-codecs.js';

/** What a file sink uses of the machine. */
export interface FileSurroundings {
  readonly files: Files;
  /** Where relative paths start. */
  readonly cwd: string;
}

function placeOf({ path, rotate, gzip }: FileSinkOptions, { files, cwd }: FileSurroundings): FileSinkConfig {
  return { path: resolve(cwd, path), files, rotate, gzip: gzip === true ? gzipBlock : undefined };
}

export function fileSinkOf(
  options: FileSinkOptions,
  around: FileSurroundings,
  scheduler?: SchedulerLike,
): SinkResource {
  return fileSink(placeOf(options, around), eventLines(options.format), scheduler);
}

export function fileDeadLettersOf(
  options: FileSinkOptions,
  around: FileSurroundings,
  scheduler?: SchedulerLike,
): SinkResource<DeadLetter> {
  return fileSink(placeOf(options, around), deadLetterLines, scheduler);
}

/** Beside the checkpoint: where dead letters go that nobody has said a place for. */
export function deadLetterPath(checkpointPath: string): string {
  return `${checkpointPath.replace(/\.checkpoint$/, '')}.dead.ndjson`;
}
