import type { Observable } from 'rxjs';

/** How to reach a Kafka cluster. */
export interface KafkaConnection {
  /** host:port of some brokers; the others are found through them. */
  readonly brokers: readonly string[];
  /** What the brokers call this program in their logs and quotas. */
  readonly clientId: string;
  /** A connection on which nothing is answered for so many milliseconds is cut, and made anew. Default 30 000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Undefined: no TLS. Certificates and keys are PEM texts. */
  readonly tls?: KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
}

export interface KafkaTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** False accepts any certificate. */
  readonly verify: boolean;
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: string };

export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** A message to be written. */
export interface OutgoingMessage {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProducerOptions {
  readonly topic: string;
  readonly compression: KafkaCompression;
  /** Makes the topic when it is missing. */
  readonly createTopic?: { readonly partitions: number; readonly replicas: number } | undefined;
}

/** A connected producer of one topic. One send at a time. */
export interface KafkaProducer {
  /** How many partitions the topic has; asked anew after a send that failed. */
  partitions(): Observable<number>;
  /**
   * Completes when all in-sync replicas have every message; those of a partition in their order. Tries again itself for
   * a while, without duplicates. After an error any of them may have been written, and the next send starts afresh.
   */
  send(messages: readonly OutgoingMessage[]): Observable<never>;
}

/** A message as it was read. */
export interface IncomingMessage {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, Uint8Array | string | readonly (Uint8Array | string)[] | undefined>>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where an assigned partition begins and ends. */
export interface AssignedPartition extends TopicPartition {
  /** What the group has committed, or undefined. */
  readonly committed: number | undefined;
  /** The first offset that the log still has. */
  readonly low: number;
  /** One more than the last offset of the log. */
  readonly high: number;
}

/** What a member of a consumer group hears, in this order. */
export type ConsumerEvent =
  /** The group is being divided anew: nothing more is committed until the next assignment. */
  | { readonly kind: 'rebalancing' }
  /** The partitions are this member's. Fetching waits until each was told by `start` where to begin. */
  | {
      readonly kind: 'assigned';
      /** The same as before: no one else can have joined or left unseen between the two assignments. */
      readonly member: string;
      readonly partitions: readonly AssignedPartition[];
    }
  /** Messages of a partition: all that there are from offset `from` up to and without `next`. */
  | {
      readonly kind: 'fetched';
      readonly topic: string;
      readonly partition: number;
      readonly from: number;
      readonly next: number;
      readonly high: number;
      readonly messages: readonly IncomingMessage[];
    }
  /** A fetch has come back, with or without messages. */
  | { readonly kind: 'alive' };

export interface ConsumerOptions {
  readonly groupId: string;
  /** Names, or regular expressions between slashes. */
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
}

export interface GroupOffset extends TopicPartition {
  /** The next offset to be read. */
  readonly offset: number;
}

/** A member of a consumer group. What `events` emits has to be taken at once: fetching waits for nobody. */
export interface KafkaConsumer {
  /** Errors when the member is lost for good; whoever wants to go on consumes anew. */
  readonly events: Observable<ConsumerEvent>;
  /** Fetching of the partition begins, or goes on, at this offset. */
  start(partition: TopicPartition, offset: number): void;
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /** Commits in the generation of the latest assignment. Errors, and commits nothing, when that is no longer the group's. */
  commit(offsets: readonly GroupOffset[]): Observable<never>;
  /** Leaves the group, so that the others need not wait for it. Completes when it has. */
  leave(): Observable<never>;
}

/** Kafka as a port: the service passes the real client, tests pass one of their own. Unsubscribing disconnects. */
export interface Kafka {
  produce(connection: KafkaConnection, options: ProducerOptions): Observable<KafkaProducer>;
  consume(connection: KafkaConnection, options: ConsumerOptions): Observable<KafkaConsumer>;
}
