import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { sinksOf } from '../config/schema.js';
import type { DeadLetterSinkOptions, PipelineConfig, SinkOptions } from '../config/schema.js';
import type { PipelineSpec } from '../flow/pipeline-spec.js';
import { refusedTo } from '../flow/refused-to.js';
import type { CheckpointStore } from '../model/checkpoint.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { Files } from '../model/files.js';
import type { Kafka } from '../model/kafka.js';
import type { SinkResource } from '../model/sink.js';
import type { Source } from '../model/source.js';
import type { TransactionsResource } from '../model/transactions.js';
import { consoleDeadLetterSink, consoleSink } from '../sinks/console/console-sink.js';
import type { WriteText } from '../sinks/console/write-to.js';
import type { Stores } from '../sinks/duckdb/stores.js';
import { generatorSource } from '../sources/generator/generator-source.js';
import { connectionOf } from '../sources/kafka/options.js';
import { stdinSource } from '../sources/stdin/stdin-source.js';
import { checkpointFile } from '../stores/checkpoint-file.js';
import { laneTransactions } from '../stores/kafka/lane-transactions.js';
import { pipelineTransactions } from '../stores/kafka/pipeline-transactions.js';
import { duckdbSinkOf } from './resources/duckdb.js';
import { connectElasticsearch, elasticsearchDeadLettersOf, elasticsearchSinkOf } from './resources/elasticsearch.js';
import { deadLetterPath, fileDeadLettersOf, fileSinkOf } from './resources/file.js';
import { kafkaDeadLettersOf, kafkaSinkOf, kafkaSourceOf } from './resources/kafka.js';
import type { KafkaClients } from './resources/kafka.js';
import { tailSourceOf } from './resources/tail.js';
import { stageOf } from './stage-of.js';

/** What pipelines use of the process and the machine. */
export interface Surroundings extends KafkaClients {
  readonly files: Files;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly writeStdout: WriteText;
  readonly colours: boolean;
  readonly cwd: string;
  /** Shared by all pipelines. */
  readonly stores: Stores;
}

function sourceOf({ source }: PipelineConfig, around: Surroundings): Source {
  if ('tail' in source) return tailSourceOf(source.tail, around);
  if ('stdin' in source) return stdinSource(source.stdin, around.stdin);
  if ('kafka' in source) return kafkaSourceOf(source.kafka, around);
  return generatorSource(source.generator);
}

function sinkOf(options: SinkOptions, around: Surroundings): SinkResource {
  const { writeStdout, colours } = around;
  if ('duckdb' in options) return duckdbSinkOf(options.duckdb, around);
  if ('file' in options) return fileSinkOf(options.file, around);
  if ('kafka' in options) return kafkaSinkOf(options.kafka, around);
  if ('elasticsearch' in options) return elasticsearchSinkOf(options.elasticsearch, connectElasticsearch);
  return consoleSink(options.console, writeStdout, colours);
}

/** What the pipeline's transactional sink commits with, if it has one. */
function transactionsOf(
  { name, source, routes }: PipelineConfig,
  store: CheckpointStore,
  kafka: Kafka,
): TransactionsResource | undefined {
  const sinks = routes.flatMap((route) => sinksOf(route)).map(({ sink }) => sink);
  const options = sinks.flatMap((sink) => ('kafka' in sink && sink.kafka.transactional ? [sink.kafka] : []))[0];
  if (options === undefined) return undefined;
  const { topic, compression, createTopic, maxMessageBytes, stateTopic = `millrace-state-${name}` } = options;
  const target = { connection: connectionOf(options), topic, compression, createTopic, maxMessageBytes };
  if ('kafka' in source) return laneTransactions({ ...target, groupId: source.kafka.groupId, store }, kafka);
  return pipelineTransactions({ ...target, stateTopic, before: store, mint: randomUUID }, kafka);
}

function deadLettersOf(config: PipelineConfig, around: Surroundings): SinkResource<DeadLetter> {
  const { deadLetter } = config;
  const { writeStdout, colours } = around;
  const local = fileDeadLettersOf({ path: deadLetterPath(config.checkpoint.path), format: 'json' }, around);
  if (deadLetter === undefined) return local;
  if ('file' in deadLetter) return fileDeadLettersOf(deadLetter.file, around);
  if ('console' in deadLetter) return consoleDeadLetterSink(writeStdout, colours, deadLetter.console.format);
  // What it refuses must not be nowhere.
  return refusedTo(remoteDeadLettersOf(deadLetter, around), local);
}

function remoteDeadLettersOf(
  options: Extract<DeadLetterSinkOptions, { kafka: unknown } | { elasticsearch: unknown }>,
  around: Surroundings,
): SinkResource<DeadLetter> {
  if ('kafka' in options) return kafkaDeadLettersOf(options.kafka, around.kafka);
  return elasticsearchDeadLettersOf(options.elasticsearch, connectElasticsearch);
}

/** The pipeline that a configuration describes. */
export function assemble(config: PipelineConfig, around: Surroundings): PipelineSpec {
  const store = checkpointFile(resolve(around.cwd, config.checkpoint.path), around.files);
  return {
    name: config.name,
    source: sourceOf(config, around),
    stages: config.stages.map(stageOf),
    routes: config.routes.map(({ name, stages, to, mirror }) => ({
      name,
      stages: stages.map(stageOf),
      to: (Array.isArray(to) ? (to as readonly SinkOptions[]) : [to as SinkOptions]).map((sink) =>
        sinkOf(sink, around),
      ),
      ...(mirror === undefined ? {} : { mirror: { ...mirror, to: sinkOf(mirror.to, around) } }),
    })),
    deadLetters: deadLettersOf(config, around),
    store,
    transactions: transactionsOf(config, store, around.kafka),
    checkpointEveryMs: config.checkpoint.everyMs,
    budgetBytes: config.budgetBytes,
    maxDeadLetterRatio: config.maxDeadLetterRatio,
  };
}
