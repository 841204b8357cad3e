import { z } from 'zod';
import type { Json } from '../model/json.js';
import { exactlyOne, stageOptions } from '../operators/options.js';
import type { ExactlyOne, StageOptions } from '../operators/options.js';
import { consoleOptions } from '../sinks/console/options.js';
import type { ConsoleOptions } from '../sinks/console/options.js';
import { duckdbSinkOptions } from '../sinks/duckdb/options.js';
import type { DuckdbSinkOptions } from '../sinks/duckdb/options.js';
import { elasticsearchSinkOptions } from '../sinks/elasticsearch/options.js';
import type { ElasticsearchSinkOptions } from '../sinks/elasticsearch/options.js';
import { fileSinkOptions } from '../sinks/file/options.js';
import type { FileSinkOptions } from '../sinks/file/options.js';
import { kafkaSinkOptions } from '../sinks/kafka/options.js';
import type { KafkaSinkOptions } from '../sinks/kafka/options.js';
import { generatorOptions } from '../sources/generator/options.js';
import type { GeneratorOptions } from '../sources/generator/options.js';
import { kafkaSourceOptions } from '../sources/kafka/options.js';
import type { KafkaSourceOptions } from '../sources/kafka/options.js';
import { MAX_TIMER_MS } from '../sources/options.js';
import { stdinOptions } from '../sources/stdin/options.js';
import type { StdinOptions } from '../sources/stdin/options.js';
import { tailOptions } from '../sources/tail/options.js';
import type { TailOptions } from '../sources/tail/options.js';

/** One source: the key is its name. */
type SourceOptions = ExactlyOne<{
  tail: TailOptions;
  stdin: StdinOptions;
  generator: GeneratorOptions;
  kafka: KafkaSourceOptions;
}>;

/** One sink: the key is its name. */
export type SinkOptions = ExactlyOne<{
  file: FileSinkOptions;
  console: ConsoleOptions;
  duckdb: DuckdbSinkOptions;
  kafka: KafkaSinkOptions;
  elasticsearch: ElasticsearchSinkOptions;
}>;

/** One sink for dead letters: they are no events, so no store takes them. */
export type DeadLetterSinkOptions = ExactlyOne<{
  file: FileSinkOptions;
  console: ConsoleOptions;
  kafka: KafkaSinkOptions;
  elasticsearch: ElasticsearchSinkOptions;
}>;

/** One sink of a mirror: a server, or the console. What keeps its place in the checkpoint is no mirror. */
type MirrorSinkOptions = ExactlyOne<{
  console: ConsoleOptions;
  kafka: KafkaSinkOptions;
  elasticsearch: ElasticsearchSinkOptions;
}>;

/** A second sink that gets a share of a route's events, as far as it can take them. */
interface MirrorConfig {
  /** The share, by a hash of `event.id`. */
  readonly ratio: number;
  /** So many batches may wait; what comes beyond is dropped. */
  readonly maxBatches: number;
  readonly to: MirrorSinkOptions;
}

/** What some or all events become, and where they go. */
export interface RouteConfig {
  /** Unique in the pipeline; route1, route2 … when not given. */
  readonly name: string;
  /** What happens to the events of this route only. */
  readonly stages: readonly StageOptions[];
  /** One sink, or several that each get every event of the route. */
  readonly to: SinkOptions | readonly SinkOptions[];
  /** A second sink for a share of the events; it is not waited for. */
  readonly mirror?: MirrorConfig;
}

/** Where the state is kept. */
interface CheckpointConfig {
  /** The file; `data/<name>.checkpoint` when not given. */
  readonly path: string;
  /** Milliseconds between two checkpoints. */
  readonly everyMs: number;
}

/** One pipeline: a YAML document with its defaults filled in. */
export interface PipelineConfig {
  /** Unique; the file's name without its ending, and -2, -3 … for further documents, when not given. */
  readonly name: string;
  readonly source: SourceOptions;
  readonly checkpoint: CheckpointConfig;
  /** What happens to every event. */
  readonly stages: readonly StageOptions[];
  readonly routes: readonly RouteConfig[];
  /** Where refused records go; a file beside the checkpoint when not given. */
  readonly deadLetter?: DeadLetterSinkOptions;
  /** How long a source or sink may take to be reached (with --once). */
  readonly startDeadlineMs: number;
  /** How long the end may take after a signal. */
  readonly drainDeadlineMs: number;
  /** The most bytes that are read and not settled. */
  readonly budgetBytes: number;
  /** The share of records above which dead letters stop the pipeline. */
  readonly maxDeadLetterRatio: number;
}

/** A pipeline before the defaults that depend on its name and place are filled in. */
export interface PipelineDraft extends Omit<PipelineConfig, 'name' | 'checkpoint' | 'routes'> {
  readonly name?: string;
  readonly checkpoint: { readonly path?: string; readonly everyMs: number };
  readonly routes: readonly (Omit<RouteConfig, 'name'> & { readonly name?: string })[];
}

const source: z.ZodType<SourceOptions> = exactlyOne(
  { tail: tailOptions, stdin: stdinOptions, generator: generatorOptions, kafka: kafkaSourceOptions },
  'Where records come from: one source.',
);

const deadLetterSinks = {
  file: fileSinkOptions,
  console: consoleOptions,
  kafka: kafkaSinkOptions,
  elasticsearch: elasticsearchSinkOptions,
};
const sinks = {
  file: fileSinkOptions,
  console: consoleOptions,
  duckdb: duckdbSinkOptions,
  kafka: kafkaSinkOptions,
  elasticsearch: elasticsearchSinkOptions,
};
const sink: z.ZodType<SinkOptions> = exactlyOne(sinks, 'One sink: the key is its name.');

const stages = z.array(stageOptions).default([]);

const mirror = z
  .strictObject({
    ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('The share of the events, from 0 to 1: the same in every run.'),
    maxBatches: z
      .int()
      .min(1)
      .max(1000)
      .default(16)
      .describe('So many batches may wait; what comes beyond is dropped.'),
    to: exactlyOne(
      { console: consoleOptions, kafka: kafkaSinkOptions, elasticsearch: elasticsearchSinkOptions },
      'Where they go: one sink.',
    ),
  })
  .describe(
    'A second sink for a share of the events. It can never slow or fail the pipeline: what it does not take is lost, and counted.',
  );

const route = z.strictObject({
  name: z
    .string()
    .regex(/^[^/\u0000-\u001f\u007f-\u009f]+$/, 'expected a name without a slash')
    .exactOptional()
    .describe('Unique in the pipeline; route1, route2 … when not given.'),
  stages: stages.describe('What happens to the events of this route only.'),
  to: z
    .union([sink, z.array(sink).min(1)])
    .describe('One sink, or a list of sinks that each get every event of the route.'),
  mirror: mirror.exactOptional(),
});

const checkpoint = z.strictObject({
  path: z.string().min(1).exactOptional().describe('The file; data/<name>.checkpoint when not given.'),
  everyMs: z.int().min(10).max(MAX_TIMER_MS).default(1000).describe('Milliseconds between two checkpoints.'),
});

const deadlineMs = z.int().min(0).max(MAX_TIMER_MS).default(30_000);

/** The one declaration of a pipeline: validation, defaults and the JSON Schema come from it. */
export const pipelineSchema: z.ZodType<PipelineDraft> = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, 'expected a name of letters, digits, ".", "_" and "-"')
    .exactOptional()
    .describe("Unique; the file's name without its ending when not given."),
  source,
  checkpoint: checkpoint.prefault({}).describe('Where positions and state are kept.'),
  stages: stages.describe('What happens to every event, in this order.'),
  routes: z.array(route).min(1).describe('Where events go: each route gets all of them.'),
  deadLetter: exactlyOne(
    deadLetterSinks,
    'Where refused records go; a file beside the checkpoint when not given.',
  ).exactOptional(),
  startDeadlineMs: deadlineMs.describe('Milliseconds that a source or sink may take to be reached, with --once.'),
  drainDeadlineMs: deadlineMs.describe('Milliseconds that the end may take after a signal.'),
  budgetBytes: z.int().min(1_048_576).default(67_108_864).describe('The most bytes that are read and not settled.'),
  maxDeadLetterRatio: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('The share of records above which dead letters stop the pipeline.'),
});

/** The configuration's JSON Schema (one document), for editors. */
export function jsonSchema(): Json {
  const schema = z.toJSONSchema(pipelineSchema, { io: 'input' });
  // What zod returns has more than JSON on it.
  return JSON.parse(JSON.stringify({ title: 'millrace pipeline', ...schema })) as Json;
}

/** The sinks of a route, and each one's name: the route's, or name/1, name/2 … for a list. */
export function sinksOf({
  name,
  to,
}: Pick<RouteConfig, 'name' | 'to'>): readonly { name: string; sink: SinkOptions }[] {
  if (!('length' in to)) return [{ name, sink: to }];
  return to.map((each, at) => ({ name: `${name}/${at + 1}`, sink: each }));
}
