import type { SchedulerLike } from 'rxjs';
import { MillraceError } from './model/errors.js';
import type { Given } from './model/given.js';
import type { KafkaTls } from './model/kafka.js';
import type { EventSink } from './model/sink.js';
import type { Source } from './model/source.js';
import { kafkaClient } from './service/kafka/kafka-client.js';
import { schemaRegistry } from './service/kafka/schema-registry.js';
import { kafkaDeadLettersOf, kafkaSinkOf, kafkaSourceOf } from './service/resources/kafka.js';
import type { KafkaClients } from './service/resources/kafka.js';
import { validated } from './service/resources/validated.js';
import { kafkaSinkOptions } from './sinks/kafka/options.js';
import type { KafkaSinkOptions } from './sinks/kafka/options.js';
import { kafkaSourceOptions } from './sources/kafka/options.js';
import type { KafkaSourceOptions } from './sources/kafka/options.js';

export type * from './model/kafka.js';
export type * from './model/schemas.js';
export type { RegistryOptions } from './sources/kafka/options.js';

/** Which topics are read, and how: the keys of `kafka` under `source` in a configuration. */
export interface KafkaSourceConfig extends Given<Omit<KafkaSourceOptions, 'tls'>, 'brokers' | 'topics' | 'groupId'> {
  /** True: TLS with the system's certificate authorities. */
  readonly tls?: boolean | Given<KafkaTls>;
}

/** Where and how messages are written: the keys of `kafka` under `to` in a configuration. */
export interface KafkaSinkConfig extends Given<
  Omit<KafkaSinkOptions, 'tls' | 'createTopic' | 'transactional' | 'stateTopic'>,
  'brokers' | 'topic'
> {
  /** True: TLS with the system's certificate authorities. */
  readonly tls?: boolean | Given<KafkaTls>;
  /** Makes the topic when it is missing; 6 partitions and 1 replica when not given. */
  readonly createTopic?: Given<Exclude<KafkaSinkOptions['createTopic'], undefined>>;
}

/** The clients: kafkajs and the schema registry's, each loaded when it is first used, unless others are given. */
export type KafkaPorts = Given<KafkaClients>;

const clients: KafkaClients = { kafka: kafkaClient, schemas: schemaRegistry };

/**
 * Reads topics as a member of a consumer group; every partition is a lane. An offset is committed when everything before
 * it has settled and the checkpoint that says so is durable.
 *
 * - throws MILLRACE_E_CONFIG_INVALID at once, with everything that is wrong with the options.
 * - errors of the connection are MILLRACE_E_KAFKA_…; it is tried again with back-off, without end.
 * - memory: beside the pipeline's budget, what one fetch has brought: 1 MiB a partition, before decompression.
 */
export function kafkaSource(config: KafkaSourceConfig, ports: KafkaPorts = {}, scheduler?: SchedulerLike): Source {
  return kafkaSourceOf(validated(kafkaSourceOptions, config, 'kafkaSource'), { ...clients, ...ports }, scheduler);
}

/**
 * Writes to a topic: at least once, in the order of each key, with the event's id in the header `millrace-id`.
 *
 * - throws MILLRACE_E_CONFIG_INVALID at once, with everything that is wrong with the options.
 * - errors of the connection are MILLRACE_E_KAFKA_…; a message that is larger than `maxMessageBytes` is refused.
 */
export function kafkaSink(config: KafkaSinkConfig, ports: KafkaPorts = {}): EventSink {
  const options = validated(kafkaSinkOptions, config, 'kafkaSink');
  // The transaction belongs to the pipeline, and only a configuration gives it one.
  if (options.transactional) {
    const why = 'kafkaSink: transactional: only a pipeline by configuration has it';
    throw new MillraceError('MILLRACE_E_CONFIG_INVALID', why);
  }
  const all = { ...clients, ...ports };
  return { ...kafkaSinkOf(options, all), deadLetters: kafkaDeadLettersOf(options, all.kafka) };
}
