import { concat, concatMap, defer, EMPTY, from, map, Subject, takeUntil, takeWhile, tap } from 'rxjs';
import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Batch, Lane, LogRecord } from '../../model/batch.js';
import type {
  AssignedPartition,
  ConsumerEvent,
  IncomingMessage,
  KafkaConsumer,
  TopicPartition,
} from '../../model/kafka.js';
import type { Json } from '../../model/json.js';
import type { Demand } from '../../model/source.js';
import { MAX_LINES, RECORD_BYTES } from '../lines.js';
import type { Decode } from './records.js';

/** Messages that came in one fetch. */
type Fetched = Extract<ConsumerEvent, { kind: 'fetched' }>;

/** No batch takes more of the text of its records, unless it is one record. */
const MAX_BATCH_BYTES = 1024 * 1024;

/** The name of a partition as a lane, and the first part of the ids of its events: the same in every cluster. */
export function laneId({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** What the group had committed of a lane when its state was saved; null: nothing. Undefined when that does not tell. */
export function committedBefore(state: Json): number | null | undefined {
  const { committed } = (state ?? {}) as { readonly committed?: unknown };
  return typeof committed === 'number' || committed === null ? committed : undefined;
}

/** What a lane needs of its source. */
export interface LaneSetting {
  readonly consumer: KafkaConsumer;
  readonly decode: Decode;
  readonly demand: Demand;
  readonly stop: Observable<unknown>;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Tries again, without end, what somebody else has to answer. */
  readonly patiently: MonoTypeOperatorFunction<readonly LogRecord[]>;
  /** Whether the state of the lane is what the group has committed of it. */
  readonly keepsState: boolean;
  /** Hears when the lane has completed. */
  readonly onEnd: () => void;
}

function sizeOf({ value, key }: IncomingMessage): number {
  return (value?.length ?? 0) + (key?.length ?? 0) + RECORD_BYTES;
}

/** A partition for as long as it is ours. */
export class PartitionLane {
  readonly id: string;
  readonly where: TopicPartition;
  readonly lane: Lane;
  /** What the group has committed of it, as far as we know. */
  committed: number | undefined;
  /** The next offset that may be taken: whatever begins elsewhere is of another time. */
  next: number;
  /** The position after the last batch that went out. */
  emitted: number;
  high: number;
  hasEnded = false;
  /** Where it begins, if nothing of it has settled before that we know of. */
  begun: number | undefined;
  readonly #setting: LaneSetting;
  readonly #end: number | undefined;
  readonly #fetched = new Subject<Fetched>();
  readonly #revoked = new Subject<void>();
  #held = 0;
  #isPaused = false;
  #isReading = false;
  #hasStumbled = false;

  /** `end`: read up to this offset, for a run that ends. */
  constructor(setting: LaneSetting, partition: AssignedPartition, begin: number, end?: number) {
    const { topic, partition: number, committed, metadata = null, high } = partition;
    this.#setting = setting;
    this.where = { topic, partition: number };
    this.id = laneId(this.where);
    this.committed = committed;
    this.next = begin;
    this.emitted = begin;
    this.high = high;
    this.#end = end;
    const revoked = this.#revoked.asObservable();
    const { fields } = setting;
    this.lane = {
      id: this.id,
      position: begin,
      state: metadata === '' ? null : metadata,
      fields,
      batches: this.#batches(),
      revoked,
    };
  }

  /** Messages that are known to be there and were not fetched yet. */
  get lag(): number {
    return Math.max(0, this.high - this.next);
  }

  /** Takes what was fetched, if it follows what came before. Gives false when it does not. */
  take(fetched: Fetched): boolean {
    if (!this.#isReading) return true;
    if (fetched.from !== this.next) return this.#stumble();
    this.#hasStumbled = false;
    this.next = fetched.next;
    this.high = fetched.high;
    this.#held++;
    this.#fetched.next(fetched);
    // What could not go out at once waits in memory; nothing comes on top of it.
    if (this.#held > 0 && !this.#isPaused && !this.hasEnded) {
      this.#isPaused = true;
      this.#setting.consumer.pause(this.where);
    }
    return true;
  }

  /** The group was divided anew and the partition has stayed here: fetching goes on where it was. */
  goOn(): void {
    if (!this.#isReading) return;
    this.#setting.consumer.start(this.where, this.next);
    if (this.#isPaused) this.#setting.consumer.pause(this.where);
  }

  revoke(): void {
    this.#isReading = false;
    this.hasEnded = true;
    this.#revoked.next();
  }

  /**
   * A fetch from elsewhere: either one of another time, and asking again is right; or the log does not have our offset
   * any more, and then it happens twice.
   */
  #stumble(): boolean {
    if (this.#hasStumbled) return false;
    this.#hasStumbled = true;
    this.#setting.consumer.start(this.where, this.next);
    return true;
  }

  #batches(): Observable<Batch> {
    const { decode, demand, stop, onEnd, patiently } = this.#setting;
    const end = this.#end ?? Infinity;
    const batches = this.#fetched.pipe(
      concatMap((fetched) =>
        patiently(decode(fetched.messages.filter(({ offset }) => offset < end))).pipe(
          concatMap((records) => from(this.#cut(fetched, records, Math.min(fetched.next, end)))),
          concatMap((batch) => demand.reserve(this.id, batch.bytes).pipe(map(() => batch))),
          tap({ next: ({ position }) => (this.emitted = position), complete: () => this.#released() }),
        ),
      ),
    );
    const reading = defer(() => {
      if (this.next >= end) return EMPTY;
      this.#isReading = true;
      this.#setting.consumer.start(this.where, this.next);
      return batches.pipe(takeWhile(({ position }) => position < end, true));
    });
    const closing = defer(() => {
      if (this.#isReading) this.#setting.consumer.pause(this.where);
      this.#isReading = false;
      this.hasEnded = true;
      onEnd();
      return EMPTY;
    });
    return concat(reading.pipe(takeUntil(stop)), closing);
  }

  #released(): void {
    this.#held--;
    if (this.#held > 0 || !this.#isPaused || !this.#isReading) return;
    this.#isPaused = false;
    this.#setting.consumer.resume(this.where);
  }

  /** Batches of the records; without any it is one batch that has only a position. */
  #cut({ messages }: Fetched, records: readonly LogRecord[], position: number): Batch[] {
    const batches: Batch[] = [];
    const state = this.#setting.keepsState ? { committed: this.committed ?? null } : null;
    let first = 0;
    let bytes = 0;
    records.forEach((_, at) => {
      const message = messages[at];
      const size = message === undefined ? RECORD_BYTES : sizeOf(message);
      if (at > first && (bytes + size > MAX_BATCH_BYTES || at - first >= MAX_LINES)) {
        const next = records[at]?.offset ?? position;
        batches.push({ records: records.slice(first, at), position: next, bytes, state });
        first = at;
        bytes = 0;
      }
      bytes += size;
    });
    batches.push({ records: records.slice(first), position, bytes, state });
    return batches;
  }
}
