import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer } from '@platformatic/kafka';
import type { ConsumerEvent, TopicPartition } from '../../../model/kafka.js';
import { kafkaError } from '../kafka-error.js';
import { fetchedRecords } from './fetched-records.js';
import { fetchesById, fetchFrom } from './requests.js';
import type { Fetched, FetchedPartition, FetchTopic } from './requests.js';

/** Fetches come back at least this often, so a partition that goes on is asked for soon. */
const MAX_FETCH_WAIT_MS = 100;
const MAX_PARTITION_BYTES = 1024 * 1024;
const FAILURE_WAIT_MS = 300;
const MAX_FAILURES_IN_A_ROW = 20;
const OUT_OF_RANGE = 1;
const EARLIEST = -2n;

/** Where a partition is read. */
interface Place extends TopicPartition {
  offset: number;
  isPaused: boolean;
}

/** A place that a fetch is under way for, and where it began. */
interface Asked {
  readonly place: Place;
  readonly from: number;
  /** How a fetch names the topic. */
  readonly topicId: string;
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

function requestOf(all: readonly Asked[]): FetchTopic[] {
  const ids = [...new Set(all.map(({ topicId }) => topicId))];
  return ids.map((topicId) => ({
    topicId,
    partitions: all
      .filter((asked) => asked.topicId === topicId)
      .map(({ place, from }) => ({
        partition: place.partition,
        fetchOffset: BigInt(from),
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
        partitionMaxBytes: MAX_PARTITION_BYTES,
      })),
  }));
}

/** Fetches from each broker what is wanted of it, one request at a time, without end. */
export class Fetching {
  readonly #consumer: Consumer;
  readonly #emit: (event: ConsumerEvent) => void;
  readonly #fail: (error: unknown) => void;
  readonly #places = new Map<string, Place>();
  readonly #busy = new Set<number>();
  #failures = 0;
  #isAsking = false;
  /** Something is wanted that nobody has been asked for. */
  #isDue = false;
  #hasEnded = false;

  constructor(consumer: Consumer, emit: (event: ConsumerEvent) => void, fail: (error: unknown) => void) {
    this.#consumer = consumer;
    this.#emit = emit;
    this.#fail = fail;
  }

  /** Nobody wants anything now, so nothing will be heard. */
  get isIdle(): boolean {
    return [...this.#places.values()].every(({ isPaused }) => isPaused);
  }

  start({ topic, partition }: TopicPartition, offset: number): void {
    this.#places.set(keyOf({ topic, partition }), { topic, partition, offset, isPaused: false });
    this.#pump();
  }

  pause(where: TopicPartition): void {
    const place = this.#places.get(keyOf(where));
    if (place !== undefined) place.isPaused = true;
  }

  resume(where: TopicPartition): void {
    const place = this.#places.get(keyOf(where));
    if (place !== undefined) place.isPaused = false;
    this.#pump();
  }

  /** Nothing is fetched until it is started again. */
  forgetAll(): void {
    this.#places.clear();
  }

  end(): void {
    this.#hasEnded = true;
    this.#places.clear();
  }

  #pump(): void {
    this.#isDue = true;
    if (!this.#isAsking) void this.#keepAsking();
  }

  async #keepAsking(): Promise<void> {
    this.#isAsking = true;
    while (this.#isDue && !this.#hasEnded) {
      this.#isDue = false;
      try {
        await this.#askAll();
      } catch (error) {
        await this.#failed(error);
        this.#isDue = true;
      }
    }
    this.#isAsking = false;
  }

  async #askAll(): Promise<void> {
    if (this.#places.size === 0) return;
    const topics = [...new Set([...this.#places.values()].map(({ topic }) => topic))];
    const [metadata, isById] = await Promise.all([this.#consumer.metadata({ topics }), fetchesById(this.#consumer)]);
    const byNode = new Map<number, Asked[]>();
    for (const place of this.#places.values()) {
      const topic = metadata.topics.get(place.topic);
      const node = topic?.partitions[place.partition]?.leader;
      if (place.isPaused || topic === undefined || node === undefined) continue;
      const asked = { place, from: place.offset, topicId: isById ? topic.id : place.topic };
      byNode.set(node, [...(byNode.get(node) ?? []), asked]);
    }
    for (const [node, asked] of byNode) if (!this.#busy.has(node)) void this.#ask(node, asked);
  }

  async #ask(node: number, all: readonly Asked[]): Promise<void> {
    this.#busy.add(node);
    try {
      const { responses } = await this.#fetch(node, all);
      this.#emit({ kind: 'alive' });
      for (const asked of all) {
        const topic = responses.find(({ topicId }) => topicId === asked.topicId);
        const found = topic?.partitions.find(({ partitionIndex }) => partitionIndex === asked.place.partition);
        if (found !== undefined) await this.#take(asked, found);
      }
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#busy.delete(node);
    }
    this.#pump();
  }

  async #fetch(node: number, all: readonly Asked[]): Promise<Fetched> {
    try {
      const response = await fetchFrom(this.#consumer, node, requestOf(all), MAX_FETCH_WAIT_MS);
      this.#failures = 0;
      return response;
    } catch (error) {
      // Some partitions have brought something all the same.
      const { response } = error as { readonly response?: Fetched };
      if (response === undefined) throw error;
      const codes = response.responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
      if (response.errorCode !== 0 || codes.some((code) => code !== 0 && code !== OUT_OF_RANGE)) {
        await this.#failed(error);
      }
      return response;
    }
  }

  async #take({ place, from }: Asked, found: FetchedPartition): Promise<void> {
    const { topic, partition } = place;
    // It was paused, begun elsewhere or taken away meanwhile: what came is not wanted any more.
    const isWanted = (): boolean =>
      this.#places.get(keyOf(place)) === place && !place.isPaused && place.offset === from;
    if (found.errorCode === OUT_OF_RANGE) {
      const low = await this.#lowOf(place);
      if (isWanted() && low !== undefined) place.offset = low;
      return;
    }
    if (found.errorCode !== 0 || !isWanted()) return;
    const { next, messages } = fetchedRecords(found, from);
    if (next === from) return;
    place.offset = next;
    this.#emit({ kind: 'fetched', topic, partition, from, next, high: Number(found.highWatermark), messages });
  }

  async #lowOf({ topic, partition }: TopicPartition): Promise<number | undefined> {
    const asked = { topics: [topic], partitions: { [topic]: [partition] }, timestamp: EARLIEST };
    const low = (await this.#consumer.listOffsets(asked)).get(topic)?.[partition];
    return low === undefined ? undefined : Number(low);
  }

  /** A broker may restart, a partition may move; after a while it is a matter for whoever made the member. */
  async #failed(error: unknown): Promise<void> {
    if (this.#hasEnded) return;
    this.#consumer.clearMetadata();
    const named = kafkaError(error, 'MILLRACE_E_KAFKA_CONSUME');
    this.#failures++;
    if (!named.transient || this.#failures > MAX_FAILURES_IN_A_ROW) this.#fail(named);
    else await wait(FAILURE_WAIT_MS);
  }
}
