import { resolve } from 'node:path';
import type { SchedulerLike } from 'rxjs';
import type { CheckpointStore } from './model/checkpoint.js';
import type { DeadLetter } from './model/dead-letter.js';
import type { Files } from './model/files.js';
import type { Given } from './model/given.js';
import type { EventSink, SinkResource } from './model/sink.js';
import { nodeFiles } from './service/node-files.js';
import { deadLetterPath, fileDeadLettersOf, fileSinkOf } from './service/resources/file.js';
import { validated } from './service/resources/validated.js';
import { consoleDeadLetterSink, consoleSink as consoleSinkOn } from './sinks/console/console-sink.js';
import { consoleOptions } from './sinks/console/options.js';
import type { ConsoleOptions } from './sinks/console/options.js';
import { writeTo } from './sinks/console/write-to.js';
import { fileSinkOptions } from './sinks/file/options.js';
import type { FileSinkOptions } from './sinks/file/options.js';
import { checkpointFile as checkpointFileIn } from './stores/checkpoint-file.js';

export type * from './model/files.js';

/** Where and how events are written: the keys of `file` under `to` in a configuration. */
export type FileSinkConfig = Given<FileSinkOptions, 'path'>;

/** The file system: Node's, unless another is given. */
export interface FilePorts {
  readonly files?: Files;
  /** Where relative paths start; the working directory when not given. */
  readonly cwd?: string;
}

/**
 * Appends to a file, each event once: the file's length is part of the checkpoint.
 *
 * - throws MILLRACE_E_CONFIG_INVALID at once, with everything that is wrong with the options.
 * - errors are MILLRACE_E_FILE_…, and transient: a full disk is waited for.
 * - only one sink of one process may have the file.
 */
export function fileSink(
  config: FileSinkConfig,
  { files = nodeFiles, cwd = '' }: FilePorts = {},
  scheduler?: SchedulerLike,
): EventSink {
  const options = validated(fileSinkOptions, config, 'fileSink');
  const around = { files, cwd };
  return {
    ...fileSinkOf(options, around, scheduler),
    deadLetters: fileDeadLettersOf(options, around, scheduler),
  };
}

/** How events are shown, and on what: the key of `console` in a configuration, and a stream. */
export interface ConsoleSinkConfig extends Given<ConsoleOptions> {
  readonly stream: NodeJS.WritableStream;
  /** Default false. */
  readonly colours?: boolean;
}

/**
 * Shows events on a stream (`process.stdout`), one a line. Escape sequences in a log cannot act on the terminal. When
 * nobody reads the stream any more that is reported once, and everything counts as delivered.
 *
 * - throws MILLRACE_E_CONFIG_INVALID at once when the options are wrong. Errors of the stream are MILLRACE_E_FILE_IO.
 */
export function consoleSink({ stream, colours = false, ...config }: ConsoleSinkConfig): EventSink {
  const options = validated(consoleOptions, config, 'consoleSink');
  const write = writeTo(stream);
  return {
    ...consoleSinkOn(options, write, colours),
    deadLetters: consoleDeadLetterSink(write, colours, options.format),
  };
}

/** A checkpoint, and a place for dead letters beside it. */
export interface CheckpointFile extends CheckpointStore {
  /** `<path without .checkpoint>.dead.ndjson` */
  readonly deadLetters: SinkResource<DeadLetter>;
}

/**
 * Keeps a pipeline's checkpoint in a file: after a crash there is the old one or the new one.
 *
 * - errors: MILLRACE_E_FILE_… are transient; MILLRACE_E_CHECKPOINT_… are not.
 * - one running pipeline to a file: unlike `millrace run`, it does not look whether another process has it.
 */
export function checkpointFile(
  path: string,
  { files = nodeFiles, cwd = '' }: FilePorts = {},
  scheduler?: SchedulerLike,
): CheckpointFile {
  const letters = { path: deadLetterPath(path), format: 'json' as const };
  return {
    ...checkpointFileIn(resolve(cwd, path), files),
    deadLetters: fileDeadLettersOf(letters, { files, cwd }, scheduler),
  };
}
