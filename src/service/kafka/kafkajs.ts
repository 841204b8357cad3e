import { createRequire } from 'node:module';
import type {
  CompressionTypes as CompressionType,
  ConfigResourceTypes,
  Kafka,
  KafkaConfig,
  KafkaMessage,
  Mechanism,
  RetryOptions,
  SASLOptions,
} from 'kafkajs';
import { filterAbortedRightly } from './aborted-messages.js';
import type { AbortedTransaction, RawMessage } from './aborted-messages.js';
import type { KafkaCompression, KafkaConnection, KafkaSasl } from '../../model/kafka.js';
import { answeredSockets } from './answered-sockets.js';
import { codecs } from './codecs.js';
import { kafkajs } from './faster-kafkajs.js';
import { REQUEST_TIMEOUT_MS } from './joining.js';
import { tlsOf } from './tls.js';
import { passedOn } from './kafka-error.js';
import { oauthBearer } from './oauth-bearer.js';

export type {
  Admin,
  Consumer,
  EachBatchPayload,
  ICustomPartitioner as Partitioner,
  KafkaMessage,
  Message,
  OffsetsByTopicPartition,
  Producer,
  RecordMetadata,
  Transaction,
} from 'kafkajs';

// What is particular to kafkajs.

const { CompressionCodecs, CompressionTypes, logLevel } = kafkajs;

CompressionCodecs[CompressionTypes.Snappy] = () => codecs.snappy;
CompressionCodecs[CompressionTypes.LZ4] = () => codecs.lz4;
CompressionCodecs[CompressionTypes.ZSTD] = () => {
  if (codecs.zstd === undefined) throw passedOn('MILLRACE_E_KAFKA_CODEC', 'zstd needs Node 22.15 or newer');
  return codecs.zstd;
};

/** What kafkajs has no codec for it takes for not compressed at all, and waits without end for what never makes sense. */
const UNKNOWN_CODECS = [5, 6, 7];
const unknownCodecs = UNKNOWN_CODECS.map((number): [number, () => never] => [
  number,
  () => {
    throw passedOn('MILLRACE_E_KAFKA_CODEC', `number ${number}`);
  },
]);
Object.assign(CompressionCodecs, Object.fromEntries(unknownCodecs));

/** The client's numbers. */
export const CONFIG_OF_TOPIC: ConfigResourceTypes = kafkajs.ConfigResourceTypes.TOPIC;

/** The client's numbers. */
export const COMPRESSION: Readonly<Record<KafkaCompression, CompressionType>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * Every connection of kafkajs arms a timer of negative length again and again, even with nothing to send: a warning on
 * Node 24, and a wasted wake-up each millisecond everywhere.
 */
function quietRequestQueues(): void {
  const load = createRequire(import.meta.url);
  const { prototype } = load('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
  // Called with its queue as `this`.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
quietRequestQueues();
filterAbortedRightly();

/** A connection to a cluster: makes producers, consumers and admins. */
export type Client = Kafka;

/** Long enough for a broker that restarts: as long as the same producer tries, nothing is written twice. */
export const RETRY: Required<Pick<RetryOptions, 'initialRetryTime' | 'maxRetryTime' | 'retries'>> = {
  initialRetryTime: 100,
  maxRetryTime: 1000,
  retries: 12,
};

function saslOf(sasl: KafkaSasl): SASLOptions | Mechanism {
  if (sasl.mechanism === 'oauthbearer') return oauthBearer(sasl.token);
  // kafkajs writes into it, and configurations are frozen.
  const copy: SASLOptions = { ...sasl };
  return copy;
}

/** Whoever uses the port tries again as well. */
const FEW_TRIES: RetryOptions = { initialRetryTime: 100, maxRetryTime: 500, retries: 2 };

/** `retry`: of what belongs to the connection, and of taking over a transactional id. */
export function clientOf(
  { brokers, clientId, requestTimeoutMs = REQUEST_TIMEOUT_MS, tls, sasl }: KafkaConnection,
  retry: RetryOptions = FEW_TRIES,
): Client {
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: 5000,
    requestTimeout: requestTimeoutMs,
    socketFactory: answeredSockets(requestTimeoutMs),
    retry,
    // What matters is reported by whoever uses the port.
    logLevel: logLevel.NOTHING,
    ...(tls === undefined ? {} : { ssl: tlsOf(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
  };
  return new kafkajs.Kafka(config);
}

interface FetchedPartition {
  readonly partition: number;
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  readonly messages: readonly (KafkaMessage & RawMessage)[];
}

interface Responses<T> {
  readonly responses: readonly { readonly partitions: readonly T[] }[];
}

interface Asked<T> {
  readonly isolationLevel: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly T[] }[];
}

interface ClientBroker {
  listOffsets(
    asked: Asked<{ readonly partition: number; readonly timestamp: number }>,
  ): Promise<Responses<{ readonly offset: string }>>;
  fetch(
    asked: Asked<{ readonly partition: number; readonly fetchOffset: string; readonly maxBytes: number }> & {
      readonly maxWaitTime: number;
      readonly maxBytes: number;
    },
  ): Promise<Responses<FetchedPartition>>;
}

/** What is below consumers and producers: the client's own part, with which a partition is read without a group. */
export interface ClientCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(node: { readonly nodeId: string }): Promise<ClientBroker>;
}

export const READ_UNCOMMITTED = 0;
export const READ_COMMITTED = 1;

type CreateCluster = (options: { readonly metadataMaxAge: number; allowAutoTopicCreation: boolean }) => ClientCluster;

export function clusterOf(client: Client): ClientCluster {
  const symbol = Object.getOwnPropertySymbols(client).find((each) => each.description?.endsWith(':createCluster'));
  const create = (client as unknown as Readonly<Record<symbol, CreateCluster>>)[symbol ?? Symbol.iterator];
  if (create === undefined) throw new TypeError('this version of kafkajs is not known');
  return create({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}

interface FetchedBatch {
  readonly messages: readonly KafkaMessage[];
  isEmptyIncludingFiltered(): boolean;
  lastOffset(): string;
}

/** What a fetch has brought of a partition. */
export const Batch: new (topic: string, fetchedOffset: string, fetched: FetchedPartition) => FetchedBatch =
  createRequire(import.meta.url)('kafkajs/src/consumer/batch') as typeof Batch;

/** What is left of a connection is of no use any more, and there is nobody to tell. */
export function leaveQuietly(connection: Promise<{ disconnect(): Promise<void> }>): void {
  connection.then((open) => open.disconnect()).catch(() => undefined);
}
