import { defer, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError, messageOf } from '../../../model/errors.js';
import type { Kafka } from '../../../model/kafka.js';
import { clientResource } from '../client-resource.js';
import { codecs } from '../codecs.js';

async function loaded<T>(driver: () => Promise<T>): Promise<T> {
  try {
    // Older versions load it, and fail at the first call. What came with 22.15 tells them.
    if (codecs.zstd === undefined) throw new Error('this version of Node is older');
    return await driver();
  } catch (error) {
    const advice = 'npm install @platformatic/kafka, on Node 22.22 or newer';
    throw new MillraceError('MILLRACE_E_KAFKA_CLIENT', `${advice} (${messageOf(error)})`, { cause: error });
  }
}

function refused(): MillraceError {
  return new MillraceError('MILLRACE_E_KAFKA_CLIENT', 'transactions need client: kafkajs');
}

function refuse(): Observable<never> {
  return throwError(() => refused());
}

/**
 * Kafka through @platformatic/kafka, an optional package, loaded when it is first used. Errors as of kafkaClient. Without
 * transactions, and what they need (`claim`, `read`): MILLRACE_E_KAFKA_CLIENT.
 */
export const platformaticClient: Kafka = {
  produce: (connection, options) =>
    clientResource(async () => {
      const { PlatformaticProducer } = await loaded(() => import('./platformatic-producer.js'));
      return new PlatformaticProducer(connection, options).connect();
    }),
  consume: (connection, options) =>
    clientResource(async () => {
      if (options.claim !== undefined) throw refused();
      const { PlatformaticMember } = await loaded(() => import('./platformatic-member.js'));
      return new PlatformaticMember(connection, options).connect();
    }),
  transact: refuse,
  describe: (connection, wanted) =>
    defer(async () => {
      const { describeTopic } = await loaded(() => import('./topic-description.js'));
      return describeTopic(connection, wanted);
    }),
  read: refuse,
};
