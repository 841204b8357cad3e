import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { defer, map, of } from 'rxjs';
import { sinksOf } from '../config/schema.js';
import type { DeadLetterSinkOptions, PipelineConfig, SinkOptions } from '../config/schema.js';
import type { PipelineSpec } from '../flow/pipeline-spec.js';
import { refusedTo } from '../flow/refused-to.js';
import type { CheckpointStore } from '../model/checkpoint.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { Files } from '../model/files.js';
import type { Kafka } from '../model/kafka.js';
import type { Schemas } from '../model/schemas.js';
import type { SinkResource } from '../model/sink.js';
import type { Source } from '../model/source.js';
import type { TransactionsResource } from '../model/transactions.js';
import { consoleDeadLetterSink, consoleSink } from '../sinks/console/console-sink.js';
import type { WriteText } from '../sinks/console/write-to.js';
import { duckdbSink } from '../sinks/duckdb/duckdb-sink.js';
import type { Stores } from '../sinks/duckdb/store.js';
import type { BulkCodec } from '../sinks/elasticsearch/bulks.js';
import { elasticsearchSink } from '../sinks/elasticsearch/elasticsearch-sink.js';
import type { ElasticsearchSinkOptions } from '../sinks/elasticsearch/options.js';
import { fileSink } from '../sinks/file/file-sink.js';
import type { FileSinkConfig } from '../sinks/file/file-sink.js';
import { gzipBlock } from '../sinks/file/gzip.js';
import type { FileSinkOptions } from '../sinks/file/options.js';
import { kafkaSink } from '../sinks/kafka/kafka-sink.js';
import { encodeDeadLetters, encodeEvents } from '../sinks/kafka/messages.js';
import type { KafkaSinkOptions } from '../sinks/kafka/options.js';
import { transactionalSink } from '../sinks/kafka/transactional-sink.js';
import { generatorSource } from '../sources/generator/generator-source.js';
import { decodeAvro } from '../sources/kafka/avro.js';
import { kafkaSource } from '../sources/kafka/kafka-source.js';
import { connectionOf } from '../sources/kafka/options.js';
import type { RegistryOptions } from '../sources/kafka/options.js';
import { decodeMessages } from '../sources/kafka/records.js';
import { stdinSource } from '../sources/stdin/stdin-source.js';
import { tailSource } from '../sources/tail/tail-source.js';
import { checkpointFile } from '../stores/checkpoint-file.js';
import { laneTransactions } from '../stores/kafka/lane-transactions.js';
import { pipelineTransactions } from '../stores/kafka/pipeline-transactions.js';
import { deadLetterDocuments, deadLetterLines, eventDocuments, eventLines } from './line-codecs.js';
import { stageOf } from './stage-of.js';

/** What pipelines use of the process and the machine. */
export interface Surroundings {
  readonly files: Files;
  readonly kafka: Kafka;
  readonly schemas: (registry: RegistryOptions) => Schemas;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly writeStdout: WriteText;
  readonly colours: boolean;
  readonly cwd: string;
  /** Shared by all pipelines. */
  readonly stores: Stores;
}

function sourceOf({ source }: PipelineConfig, { files, kafka, schemas, stdin, cwd }: Surroundings): Source {
  if ('tail' in source) {
    const { paths, exclude } = source.tail;
    const absolute = (pattern: string): string => resolve(cwd, pattern);
    return tailSource({ ...source.tail, paths: paths.map(absolute), exclude: exclude.map(absolute) }, { files });
  }
  if ('stdin' in source) return stdinSource(source.stdin, stdin);
  if ('kafka' in source) {
    const { kafka: options } = source;
    const isAvro = options.decode === 'avro';
    const decode = isAvro ? decodeAvro(options, schemasOf(options, schemas)) : decodeMessages(options);
    return kafkaSource(options, { kafka, decode });
  }
  return generatorSource(source.generator);
}

function placeOf({ path, rotate, gzip }: FileSinkOptions, files: Files, cwd: string): FileSinkConfig {
  return { path: resolve(cwd, path), files, rotate, gzip: gzip === true ? gzipBlock : undefined };
}

function sinkOf(
  options: SinkOptions,
  { files, writeStdout, colours, cwd, stores, kafka, schemas }: Surroundings,
): SinkResource {
  if ('duckdb' in options) {
    const { path, export: exporting } = options.duckdb;
    const absolute = exporting === undefined ? {} : { export: { ...exporting, path: resolve(cwd, exporting.path) } };
    return duckdbSink({ ...options.duckdb, ...absolute, path: resolve(cwd, path) }, stores);
  }
  if ('file' in options) return fileSink(placeOf(options.file, files, cwd), eventLines(options.file.format));
  if ('kafka' in options) return kafkaSinkOf(options.kafka, kafka, schemas);
  if ('elasticsearch' in options) {
    return elasticsearchOf(options.elasticsearch, eventDocuments(options.elasticsearch.index));
  }
  return consoleSink(options.console, writeStdout, colours);
}

/** Who needs it has said where it is: the configuration is checked. */
function schemasOf({ registry }: { readonly registry?: RegistryOptions }, schemas: Surroundings['schemas']): Schemas {
  return schemas(registry ?? { url: '' });
}

function kafkaSinkOf(options: KafkaSinkOptions, kafka: Kafka, schemas: Surroundings['schemas']): SinkResource {
  const encoder = encodeEvents(options, schemasOf(options, schemas));
  return options.transactional ? transactionalSink(options, encoder) : kafkaSink(options, encoder, kafka);
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

/** The client is loaded when the first one is needed: it takes longer than everything else. */
function elasticsearchOf<T>(options: ElasticsearchSinkOptions, codec: BulkCodec<T>): SinkResource<T> {
  const client = defer(() => import('../sinks/elasticsearch/elasticsearch-client.js'));
  return elasticsearchSink(options, codec, client.pipe(map(({ elasticsearchClient }) => elasticsearchClient(options))));
}

function deadLettersOf(config: PipelineConfig, around: Surroundings): SinkResource<DeadLetter> {
  const { deadLetter } = config;
  const { files, cwd, writeStdout, colours } = around;
  const local = fileSink({ path: resolve(cwd, deadLetterPath(config.checkpoint.path)), files }, deadLetterLines);
  if (deadLetter === undefined) return local;
  if ('file' in deadLetter) return fileSink(placeOf(deadLetter.file, files, cwd), deadLetterLines);
  if ('console' in deadLetter) return consoleDeadLetterSink(writeStdout, colours, deadLetter.console.format);
  // What it refuses must not be nowhere.
  return refusedTo(remoteDeadLettersOf(deadLetter, around), local);
}

function remoteDeadLettersOf(
  options: Extract<DeadLetterSinkOptions, { kafka: unknown } | { elasticsearch: unknown }>,
  { kafka }: Surroundings,
): SinkResource<DeadLetter> {
  if ('kafka' in options) return kafkaSink(options.kafka, of(encodeDeadLetters), kafka);
  return elasticsearchOf(options.elasticsearch, deadLetterDocuments(options.elasticsearch.index));
}

/** Beside the checkpoint: where dead letters go that nobody has said a place for. */
export function deadLetterPath(checkpointPath: string): string {
  return `${checkpointPath.replace(/\.checkpoint$/, '')}.dead.ndjson`;
}

/** The pipeline that a configuration describes. */
export function assemble(config: PipelineConfig, around: Surroundings): PipelineSpec {
  const store = checkpointFile(resolve(around.cwd, config.checkpoint.path), around.files);
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
    store,
    transactions: transactionsOf(config, store, around.kafka),
    checkpointEveryMs: config.checkpoint.everyMs,
    budgetBytes: config.budgetBytes,
    maxDeadLetterRatio: config.maxDeadLetterRatio,
  };
}
