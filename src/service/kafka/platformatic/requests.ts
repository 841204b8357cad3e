import { FetchIsolationLevels, kGetApi, kGetConnection } from '@platformatic/kafka';
import type { API, Connection, Consumer, fetchV17 } from '@platformatic/kafka';
import type { GroupOffset } from '../../../model/kafka.js';

// Two requests as the protocol has them. The client's own `fetch` takes what a producer has committed between two
// aborted transactions for aborted when the second one is empty; its `commit` speaks for whichever generation of the
// group is the member's when the request is sent, and has no metadata.

/** Where to read of a topic, by its id or its name. */
export type FetchTopic = fetchV17.FetchRequestTopic;
/** What a broker answers, and what it says of a partition. */
export type Fetched = fetchV17.FetchResponse;
export type FetchedPartition = fetchV17.FetchResponsePartition;

const MAX_FETCH_BYTES = 50 * 1024 * 1024;
/** A fetch that is complete by itself: nothing is left to be remembered by either side. */
const NO_SESSION = [0, -1] as const;
/** From the next one on topics are named by their ids. */
const LAST_VERSION_WITH_NAMES = 12;

function calledBack<T>(call: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error === null) resolve(result as T);
      else reject(error);
    });
  });
}

function apiOf<A extends unknown[], R>(consumer: Consumer, name: string): Promise<API<A, R>> {
  return calledBack((done) => consumer[kGetApi]<A, R>(name, done));
}

async function brokerOf(consumer: Consumer, node: number): Promise<Connection> {
  const { brokers } = await consumer.metadata({ topics: [] });
  const broker = brokers.get(node);
  if (broker === undefined) throw new Error(`broker ${node} is not known`);
  return calledBack((done) => consumer[kGetConnection](broker, done));
}

type FetchArguments = [
  maxWaitMs: number,
  minBytes: number,
  maxBytes: number,
  isolationLevel: number,
  sessionId: number,
  sessionEpoch: number,
  topics: FetchTopic[],
  forgotten: [],
  rackId: string,
];

/** What lies between there and the last offset that is decided, aborted transactions included. */
export async function fetchFrom(
  consumer: Consumer,
  node: number,
  topics: readonly FetchTopic[],
  maxWaitMs: number,
): Promise<Fetched> {
  const api = await apiOf<FetchArguments, Fetched>(consumer, 'Fetch');
  const connection = await brokerOf(consumer, node);
  const { READ_COMMITTED } = FetchIsolationLevels;
  return api.async(connection, maxWaitMs, 1, MAX_FETCH_BYTES, READ_COMMITTED, ...NO_SESSION, [...topics], [], '');
}

/** Whether a fetch names topics by their ids. */
export async function fetchesById(consumer: Consumer): Promise<boolean> {
  return (await apiOf<FetchArguments, Fetched>(consumer, 'Fetch')).version > LAST_VERSION_WITH_NAMES;
}

/** Who somebody is in a group, from one division to the next. */
export interface Membership {
  readonly memberId: string;
  readonly generationId: number;
}

interface CommitTopic {
  readonly name: string;
  readonly partitions: readonly object[];
}

type CommitArguments = [group: string, generation: number, member: string, instance: null, topics: CommitTopic[]];

/** Commits as the member of that generation; refused by the group when it has a later one. */
export async function commitAs(
  consumer: Consumer,
  { memberId, generationId }: Membership,
  offsets: readonly GroupOffset[],
): Promise<void> {
  const api = await apiOf<CommitArguments, unknown>(consumer, 'OffsetCommit');
  const connection = await brokerOf(consumer, await consumer.findGroupCoordinator());
  const topics = new Map<string, object[]>();
  for (const { topic, partition, offset, metadata = null } of offsets) {
    const partitions = topics.get(topic) ?? [];
    topics.set(topic, partitions);
    partitions.push({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    });
  }
  const all = [...topics].map(([name, partitions]) => ({ name, partitions }));
  await api.async(connection, consumer.groupId, generationId, memberId, null, all);
}
