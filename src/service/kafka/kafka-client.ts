import { defer, mergeMap } from 'rxjs';
import type { Kafka, KafkaConnection } from '../../model/kafka.js';
import { clientResource } from './client-resource.js';
import { platformaticClient } from './platformatic/platformatic-client.js';

/**
 * Kafka through kafkajs, loaded when it is first used. Errors are of the catalogue, MILLRACE_E_KAFKA_…; all but
 * _TOO_LARGE, _GENERATION, _FENCED, _CLIENT and _CODEC are transient.
 */
const kafkajsClient: Kafka = {
  produce: (connection, options) =>
    clientResource(async () => {
      const [{ clientOf }, { TopicProducer }] = await Promise.all([
        import('./kafkajs.js'),
        import('./topic-producer.js'),
      ]);
      return new TopicProducer(clientOf(connection), options).connect();
    }),
  consume: (connection, options) =>
    clientResource(async () => {
      const { GroupMember } = await import('./group-member.js');
      return new GroupMember(connection, options).connect();
    }),
  transact: (connection, options) =>
    clientResource(async () => {
      const { TopicTransactions } = await import('./topic-transactions.js');
      return new TopicTransactions(connection, options).connect();
    }),
  describe: (connection, wanted) =>
    defer(async () => {
      const [{ clientOf }, { describeTopic }] = await Promise.all([
        import('./kafkajs.js'),
        import('./topic-description.js'),
      ]);
      return describeTopic(clientOf(connection), wanted);
    }),
  read: (connection, options) =>
    defer(() => Promise.all([import('./kafkajs.js'), import('./committed-reader.js')])).pipe(
      mergeMap(([{ clientOf }, { readCommitted }]) => readCommitted(clientOf(connection), options)),
    ),
};

function portOf({ client }: KafkaConnection): Kafka {
  return client === 'platformatic' ? platformaticClient : kafkajsClient;
}

/** Kafka through the client that the connection names. */
export const kafkaClient: Kafka = {
  produce: (connection, options) => portOf(connection).produce(connection, options),
  consume: (connection, options) => portOf(connection).consume(connection, options),
  transact: (connection, options) => portOf(connection).transact(connection, options),
  describe: (connection, wanted) => portOf(connection).describe(connection, wanted),
  read: (connection, options) => portOf(connection).read(connection, options),
};
