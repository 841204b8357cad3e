export type { LogRecord } from './event.js';
import type { Observable } from 'rxjs';
import type { Arrival } from './arrival.js';
import type { Json } from './json.js';
import type { LogRecord } from './event.js';

/** A bounded run of records of one lane, and the lane's resume point after it. */
export interface Batch {
  readonly records: readonly LogRecord[];
  /** Records that are not among them, because it was certain that they will be filtered. Default 0. */
  readonly filtered?: number;
  /** The lane's position once this batch has settled. Grows within a lane. */
  readonly position: number;
  /** What it takes of the budget, in bytes of memory. */
  readonly bytes: number;
  /** What the source needs beside the position to resume here. */
  readonly state: Json;
  /** When its records came in, where they do not say it themselves. Noted by the pipeline. */
  readonly arrivals?: readonly Arrival[];
}

/** What keeps order: a file incarnation, a topic-partition, a listener. */
export interface Lane {
  readonly id: string;
  /** Where reading begins. */
  readonly position: number;
  /** What the source needs beside the position to find this lane again. */
  readonly state: Json;
  readonly fields: Readonly<Record<string, unknown>>;
  /**
   * Nothing from here on was read before, neither in this run nor in an earlier one; Infinity where that is not known.
   * Given for lanes whose records do not say when they came in: the pipeline notes it, if a sink wants to know.
   */
  readonly unreadFrom?: number;
  /** Completes when the lane has ended; a lane that ended may be opened again under the same id. */
  readonly batches: Observable<Batch>;
  /** Emits when somebody else owns the lane now: nothing of it may be acknowledged any more. */
  readonly revoked: Observable<unknown>;
}
