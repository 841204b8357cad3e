import { resolve } from 'node:path';
import type { PipelineConfig, SinkOptions } from '../config/schema.js';
import type { PipelineSpec } from '../flow/pipeline.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { Files } from '../model/files.js';
import type { Kafka } from '../model/kafka.js';
import type { SinkResource } from '../model/sink.js';
import type { Source } from '../model/source.js';
import { consoleDeadLetterSink, consoleSink } from '../sinks/console/console-sink.js';
import type { WriteText } from '../sinks/console/write-to.js';
import { fileSink } from '../sinks/file/file-sink.js';
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

function sinkOf(options: SinkOptions, { files, kafka, writeStdout, colours, cwd }: Surroundings): SinkResource {
  if ('file' in options) return fileSink(resolve(cwd, options.file.path), eventLines(options.file.format), files);
  if ('kafka' in options) return kafkaSink(options.kafka, () => encodeEvents(options.kafka), kafka);
  return consoleSink(options.console, writeStdout, colours);
}

function deadLettersOf(config: PipelineConfig, around: Surroundings): SinkResource<DeadLetter> {
  const { deadLetter } = config;
  if (deadLetter !== undefined && 'console' in deadLetter) {
    return consoleDeadLetterSink(around.writeStdout, around.colours, deadLetter.console.format);
  }
  if (deadLetter !== undefined && 'kafka' in deadLetter) {
    return kafkaSink(deadLetter.kafka, () => encodeDeadLetters, around.kafka);
  }
  const path = deadLetter === undefined ? deadLetterPath(config.checkpoint.path) : deadLetter.file.path;
  return fileSink(resolve(around.cwd, path), deadLetterLines, around.files);
}

/** Beside the checkpoint: where dead letters go that nobody has said a place for. */
export function deadLetterPath(checkpointPath: string): string {
  return `${checkpointPath.replace(/\.checkpoint$/, '')}.dead.ndjson`;
}

/** The pipeline that a configuration describes. */
export function assemble(config: PipelineConfig, around: Surroundings): PipelineSpec {
  return {
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
