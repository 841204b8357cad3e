import { Observable } from 'rxjs';
import type { IncomingMessage, ReadOptions } from '../../model/kafka.js';
import { incomingMessage } from './client-message.js';
import { kafkaError } from './kafka-error.js';
import { Batch, clusterOf, READ_UNCOMMITTED, READ_COMMITTED } from './kafkajs.js';
import type { Client, ClientCluster } from './kafkajs.js';

const MAX_FETCH_BYTES = 4 * 1024 * 1024;
const MAX_FETCH_WAIT_MS = 100;
/** Kafka's number for the end of the log. */
const LATEST = -1;
const EARLIEST = -2;

type Broker = Awaited<ReturnType<ClientCluster['findBroker']>>;

async function leaderOf(cluster: ClientCluster, { topic, partition }: ReadOptions): Promise<Broker> {
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  return cluster.findBroker({ nodeId: nodeId ?? '' });
}

/** The first offset, or one more than the last one, open transactions included. */
async function offsetAt(broker: Broker, { topic, partition }: ReadOptions, timestamp: number): Promise<number> {
  const topics = [{ topic, partitions: [{ partition, timestamp }] }];
  const { responses } = await broker.listOffsets({ isolationLevel: READ_UNCOMMITTED, topics });
  return Number(responses[0]?.partitions[0]?.offset);
}

async function* committedOf(cluster: ClientCluster, options: ReadOptions): AsyncGenerator<readonly IncomingMessage[]> {
  const { topic, partition } = options;
  await cluster.connect();
  await cluster.addTargetTopic(topic);
  const broker = await leaderOf(cluster, options);
  const end = await offsetAt(broker, options, LATEST);
  let next = Math.max(options.from ?? 0, await offsetAt(broker, options, EARLIEST));
  while (next < end) {
    const fetchOffset = String(next);
    const { responses } = await broker.fetch({
      isolationLevel: READ_COMMITTED,
      maxWaitTime: MAX_FETCH_WAIT_MS,
      maxBytes: MAX_FETCH_BYTES,
      topics: [{ topic, partitions: [{ partition, fetchOffset, maxBytes: MAX_FETCH_BYTES }] }],
    });
    const [found] = responses[0]?.partitions ?? [];
    if (found === undefined) continue;
    const batch = new Batch(topic, fetchOffset, found);
    // Without any, a transaction is open still.
    if (!batch.isEmptyIncludingFiltered()) next = Number(batch.lastOffset()) + 1;
    yield batch.messages.map(incomingMessage).filter(({ offset }) => offset < end);
  }
}

/** Reads what was committed, up to the end at the beginning, outside of any group. */
export function readCommitted(client: Client, options: ReadOptions): Observable<IncomingMessage> {
  return new Observable((subscriber) => {
    const cluster = clusterOf(client);
    const read = async (): Promise<void> => {
      try {
        for await (const messages of committedOf(cluster, options)) {
          for (const message of messages) subscriber.next(message);
          if (subscriber.closed) return;
        }
        subscriber.complete();
      } catch (error) {
        subscriber.error(kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME'));
      } finally {
        await cluster.disconnect().catch(() => undefined);
      }
    };
    void read();
  });
}
