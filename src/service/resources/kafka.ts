import { of } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import type { DeadLetter } from '../../model/dead-letter.js';
import type { Kafka } from '../../model/kafka.js';
import type { Schemas } from '../../model/schemas.js';
import type { SinkResource } from '../../model/sink.js';
import type { Source } from '../../model/source.js';
import { kafkaSink } from '../../sinks/kafka/kafka-sink.js';
import { encodeDeadLetters, encodeEvents } from '../../sinks/kafka/messages.js';
import type { KafkaSinkOptions } from '../../sinks/kafka/options.js';
import { transactionalSink } from '../../sinks/kafka/transactional-sink.js';
import { decodeAvro } from '../../sources/kafka/avro.js';
import { kafkaSource } from '../../sources/kafka/kafka-source.js';
import type { KafkaSourceOptions, RegistryOptions } from '../../sources/kafka/options.js';
import { decodeMessages } from '../../sources/kafka/records.js';

/** How Kafka and schema registries are reached. */
export interface KafkaClients {
  readonly kafka: Kafka;
  readonly schemas: (registry: RegistryOptions) => Schemas;
}

/** Who needs it has said where it is: the options are checked. */
function schemasOf({ registry }: { readonly registry?: RegistryOptions }, { schemas }: KafkaClients): Schemas {
  return schemas(registry ?? { url: '' });
}

export function kafkaSourceOf(options: KafkaSourceOptions, clients: KafkaClients, scheduler?: SchedulerLike): Source {
  const isAvro = options.decode === 'avro';
  const decode = isAvro ? decodeAvro(options, schemasOf(options, clients)) : decodeMessages(options);
  return kafkaSource(options, { kafka: clients.kafka, decode }, scheduler);
}

export function kafkaSinkOf(options: KafkaSinkOptions, clients: KafkaClients): SinkResource {
  const encoder = encodeEvents(options, schemasOf(options, clients));
  return options.transactional ? transactionalSink(options, encoder) : kafkaSink(options, encoder, clients.kafka);
}

export function kafkaDeadLettersOf(options: KafkaSinkOptions, kafka: Kafka): SinkResource<DeadLetter> {
  return kafkaSink(options, of(encodeDeadLetters), kafka);
}
