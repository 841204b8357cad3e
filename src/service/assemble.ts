import { resolve } from 'node:path';
import type { PipelineConfig, SinkOptions } from '../config/schema.js';
import type { PipelineSpec } from '../flow/pipeline.js';
import { refusedTo } from '../flow/refused-to.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { Files } from '../model/files.js';
import type { Kafka } from '../model/kafka.js';
import type { SinkResource } from '../model/sink.js';
import type { Source } from '../model/source.js';
import { consoleDeadLetterSink, consoleSink } from '../sinks/console/console-sink.js';
import type { WriteText } from '../sinks/console/write-to.js';
import { duckdbSink } from '../sinks/duckdb/duckdb-sink.js';
import type { Stores } from '../sinks/duckdb/store.js';
import { fileSink } from '../sinks/file/file-sink.js';
import type { FileSinkConfig } from '../sinks/file/file-sink.js';
import { gzipBlock } from '../sinks/file/gzip.js';
import type { FileSinkOptions } from '../sinks/file/options.js';
import { kafkaSink } from '../sinks/kafka/kafka-sink.js';
import { encodeDeadLetters, encodeEvents } from '../sinks/kafka/messages.js';
import { generatorSource } from '../sources/generator/generator-source.js';
import { kafkaSource } from '../sources/kafka/kafka-source.js';
import { decodeMessages } from '../sources/kafka/records.js';
import { stdinSource } from '../sources/stdin/stdin-source.js';
import { tailSource } from '../sources/tail/tail-source.js';
import { checkpointFile } from '../stores/checkpoint-file.js';
import { deadLetterLines, eventLines } from './line-codecs.js';
import { stageOf } from './stage-of.js';

/** What pipelines use of the process and the machine. */
export interface Surroundings {
  readonly files: Files;
  readonly kafka: Kafka;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly writeStdout: WriteText;
  readonly colours: boolean;
  readonly cwd: string;
  /** Shared by all pipelines. */
  readonly stores: Stores;
}

function sourceOf({ source }: PipelineConfig, { files, kafka, stdin, cwd }: Surroundings): Source {
  if ('tail' in source) {
    const { paths, exclude } = source.tail;
    const absolute = (pattern: string): string => resolve(cwd, pattern);
    return tailSource({ ...source.tail, paths: paths.map(absolute), exclude: exclude.map(absolute) }, { files });
  }
  if ('stdin' in source) return stdinSource(source.stdin, stdin);
  if ('kafka' in source) return kafkaSource(source.kafka, { kafka, decode: decodeMessages(source.kafka) });
  return generatorSource(source.generator);
}

function placeOf({ path, rotate, gzip }: FileSinkOptions, files: Files, cwd: string): FileSinkConfig {
  return { path: resolve(cwd, path), files, rotate, gzip: gzip === true ? gzipBlock : undefined };
}

function sinkOf(options: SinkOptions, { files, writeStdout, colours, cwd, stores, kafka }: Surroundings): SinkResource {
  if ('duckdb' in options) {
    const { path, export: exporting } = options.duckdb;
    const absolute = exporting === undefined ? {} : { export: { ...exporting, path: resolve(cwd, exporting.path) } };
    return duckdbSink({ ...options.duckdb, ...absolute, path: resolve(cwd, path) }, stores);
  }
  if ('file' in options) return fileSink(placeOf(options.file, files, cwd), eventLines(options.file.format));
  if ('kafka' in options) return kafkaSink(options.kafka, () => encodeEvents(options.kafka), kafka);
  return consoleSink(options.console, writeStdout, colours);
}

function deadLettersOf(config: PipelineConfig, around: Surroundings): SinkResource<DeadLetter> {
  const { deadLetter } = config;
  if (deadLetter !== undefined && 'console' in deadLetter) {
    return consoleDeadLetterSink(around.writeStdout, around.colours, deadLetter.console.format);
  }
  const { files, cwd, kafka } = around;
  const local = { path: resolve(cwd, deadLetterPath(config.checkpoint.path)), files };
  if (deadLetter === undefined) return fileSink(local, deadLetterLines);
  if ('file' in deadLetter) return fileSink(placeOf(deadLetter.file, files, cwd), deadLetterLines);
  // What it refuses must not be nowhere.
  return refusedTo(
    kafkaSink(deadLetter.kafka, () => encodeDeadLetters, kafka),
    fileSink(local, deadLetterLines),
  );
}

/** Beside the checkpoint: where dead letters go that nobody has said a place for. */
export function deadLetterPath(checkpointPath: string): string {
  return `${checkpointPath.replace(/\.checkpoint$/, '')}.dead.ndjson`;
}

/** The pipeline that a configuration describes. */
export function assemble(config: PipelineConfig, around: Surroundings): PipelineSpec {
  return {
    name: config.name,
    source: sourceOf(config, around),
    stages: config.stages.map(stageOf),
    routes: config.routes.map(({ name, stages, to }) => ({
      name,
      stages: stages.map(stageOf),
      to: (Array.isArray(to) ? (to as readonly SinkOptions[]) : [to as SinkOptions]).map((sink) =>
        sinkOf(sink, around),
      ),
    })),
    deadLetters: deadLettersOf(config, around),
    store: checkpointFile(resolve(around.cwd, config.checkpoint.path), around.files),
    checkpointEveryMs: config.checkpoint.everyMs,
    budgetBytes: config.budgetBytes,
    maxDeadLetterRatio: config.maxDeadLetterRatio,
  };
}
