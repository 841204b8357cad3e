import { z } from 'zod';
import type { KafkaCompression } from '../../model/kafka.js';
import { connectionShape, registryOption } from '../../sources/kafka/options.js';
import type { KafkaConnectionOptions, RegistryOptions } from '../../sources/kafka/options.js';

/** Where and how messages are written. */
export interface KafkaSinkOptions extends KafkaConnectionOptions {
  readonly topic: string;
  /** The field whose value is the key; events of one key stay in order. */
  readonly key: string;
  /** json: the event as flat JSON; raw: the original line; avro: by the schema AVRO_EVENT. Dead letters are JSON. */
  readonly format: 'json' | 'raw' | 'avro';
  /** Needed for Avro. */
  readonly registry?: RegistryOptions;
  readonly compression: KafkaCompression;
  /** What is larger is refused. */
  readonly maxMessageBytes: number;
  /** Each event once for readers of what is committed: output and positions are one transaction. */
  readonly transactional: boolean;
  /** With `transactional`, for what does not come from Kafka: the compacted topic of the checkpoint. */
  readonly stateTopic?: string;
  /** Makes the topic when it is missing. */
  readonly createTopic?: { readonly partitions: number; readonly replicas: number };
}

const createTopic = z.strictObject({
  partitions: z.int().min(1).max(10_000).default(6),
  replicas: z.int().min(1).max(100).default(1),
});

const topicName = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'expected a name of letters, digits, ".", "_" and "-"');

export const kafkaSinkOptions: z.ZodType<KafkaSinkOptions> = z
  .strictObject({
    ...connectionShape,
    topic: topicName.describe('The topic.'),
    key: z
      .string()
      .min(1)
      .default('level')
      .describe('The field whose value is the key: events of one key stay in order. level: log.level or level.'),
    format: z
      .enum(['json', 'raw', 'avro'])
      .default('json')
      .describe('json: the event as flat JSON; raw: the original line; avro: registered as topic-value.'),
    registry: registryOption,
    compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none').describe('How requests are packed.'),
    maxMessageBytes: z
      .int()
      .min(1024)
      .max(64 * 1024 * 1024)
      .default(1_000_000)
      .describe('Messages that are larger become dead letters. Not more than max.message.bytes of the topic.'),
    transactional: z
      .boolean()
      .default(false)
      .describe('Each event once for readers of what is committed: output and positions are one transaction.'),
    stateTopic: topicName
      .exactOptional()
      .describe(
        'With transactional, when the source is not Kafka: the compacted topic of the checkpoint; millrace-state-<pipeline> when not given.',
      ),
    createTopic: createTopic.exactOptional().describe('Makes the topic when it is missing.'),
  })
  .refine(({ format, registry }) => format !== 'avro' || registry !== undefined, {
    error: 'avro needs the address of a schema registry',
    path: ['registry'],
  })
  .describe('Writes to a topic, at least once, or exactly once with transactional; the order within a key is kept.');
