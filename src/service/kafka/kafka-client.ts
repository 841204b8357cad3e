import { defer, mergeMap, Observable } from 'rxjs';
import type { Kafka } from '../../model/kafka.js';
import { kafkaError } from './kafka-error.js';

/** Emits what the promise gives once it has connected; unsubscribing closes it, also when that comes first. */
function resource<T extends { close(): void }>(connect: () => Promise<T>): Observable<T> {
  return new Observable((subscriber) => {
    connect().then(
      (open) => {
        subscriber.add(() => open.close());
        subscriber.next(open);
      },
      (error: unknown) => subscriber.error(kafkaError(error, 'MILLRACE_E_KAFKA_UNREACHABLE')),
    );
  });
}

/**
 * Kafka through kafkajs, loaded when it is first used. Errors are of the catalogue, MILLRACE_E_KAFKA_…; all but
 * _TOO_LARGE, _GENERATION, _FENCED and _CODEC are transient.
 */
export const kafkaClient: Kafka = {
  produce: (connection, options) =>
    resource(async () => {
      const [{ clientOf }, { TopicProducer }] = await Promise.all([
        import('./kafkajs.js'),
        import('./topic-producer.js'),
      ]);
      return new TopicProducer(clientOf(connection), options).connect();
    }),
  consume: (connection, options) =>
    resource(async () => {
      const [{ clientOf }, { GroupMember }] = await Promise.all([import('./kafkajs.js'), import('./group-member.js')]);
      return new GroupMember(clientOf(connection), options).connect();
    }),
  transact: (connection, options) =>
    resource(async () => {
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
