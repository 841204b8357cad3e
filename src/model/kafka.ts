import type { Observable } from 'rxjs';

/** How to reach a Kafka cluster. */
export interface KafkaConnection {
  /** By which package; kafkajs when not given. */
  readonly client?: 'kafkajs' | 'platformatic' | undefined;
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
  readonly createTopic?: NewTopic | undefined;
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

/** A message of a transaction: its topic is named, and a value that is null deletes its key from a compacted topic. */
export interface TransactionalMessage extends Omit<OutgoingMessage, 'value'>, TopicPartition {
  readonly value: OutgoingMessage['value'] | null;
}

export interface TransactionalOptions {
  /** Whoever asks for the same one later is the only one that can go on. */
  readonly transactionalId: string;
  readonly compression: KafkaCompression;
}

/**
 * A producer whose transactional id is ours: what its predecessor left open is aborted, what that was committing is
 * committed. One call at a time; the first one begins a transaction. After an error nobody knows what became of the
 * transaction, and the producer is of no use any more; MILLRACE_E_KAFKA_FENCED: the id is somebody else's now.
 */
export interface TransactionalProducer {
  /** Emits the offset of the first message of each partition, and completes. */
  send(messages: readonly TransactionalMessage[]): Observable<readonly PartitionOffset[]>;
  /** Commits offsets of a consumer group with the transaction. The group does not look who the sender is. */
  sendOffsets(groupId: string, offsets: readonly GroupOffset[]): Observable<never>;
  /** Completes when readers of what is committed see all of it. Without a send before it, there is nothing to commit. */
  commit(): Observable<never>;
}

/** A topic that has to be there. */
export interface WantedTopic {
  readonly topic: string;
  /** Makes it when it is missing. */
  readonly createTopic?: NewTopic | undefined;
}

export interface NewTopic {
  readonly partitions: number;
  /** Undefined: what the brokers think right. */
  readonly replicas?: number | undefined;
  /** Settings of the topic, by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

export interface TopicDescription {
  readonly partitions: number;
  /** What a request may have of a partition, in bytes; undefined when the cluster does not tell. */
  readonly maxMessageBytes: number | undefined;
}

/** Where in a partition one reads. */
export interface ReadOptions extends TopicPartition {
  /** The first offset; undefined: from the beginning. */
  readonly from?: number | undefined;
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

/** A partition, and the lane that it is. */
export interface ClaimedLane extends TopicPartition {
  readonly lane: string;
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** Where an assigned partition begins and ends. */
export interface AssignedPartition extends TopicPartition {
  /** What the group has committed, or undefined. */
  readonly committed: number | undefined;
  /** What was committed with it. */
  readonly metadata?: string | undefined;
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
  /**
   * Subscribed with all partitions of each assignment, before it is asked what the group has committed of them:
   * completes when nobody else can commit any more. An error ends the member.
   */
  readonly claim?: ((partitions: readonly TopicPartition[]) => Observable<never>) | undefined;
}

export interface GroupOffset extends TopicPartition {
  /** The next offset to be read. */
  readonly offset: number;
  /** A text of at most 4096 bytes, to be kept beside it. */
  readonly metadata?: string | undefined;
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
  /** Emits when the transactional id is ours. */
  transact(connection: KafkaConnection, options: TransactionalOptions): Observable<TransactionalProducer>;
  /** Emits once and completes. */
  describe(connection: KafkaConnection, topic: WantedTopic): Observable<TopicDescription>;
  /**
   * Emits what was committed of a partition, and completes where it ended when this began; waits for transactions that
   * were open then. No group is needed.
   */
  read(connection: KafkaConnection, options: ReadOptions): Observable<IncomingMessage>;
}
