import type { Observable } from 'rxjs';
import type { Arrival } from './arrival.js';
import type { Lane } from './batch.js';
import type { Json } from './json.js';
import type { ClaimedLane } from './kafka.js';
import type { Notice } from './notice.js';

/** A lane's saved resume point. */
export interface SavedLane {
  readonly position: number;
  readonly state: Json;
  /** When its records came in: what is still needed of the marks. */
  readonly arrivals?: readonly Arrival[] | undefined;
}

/**
 * The one feedback edge of the program. A source reserves before it reads and does not read while it waits;
 * what it reserved comes back when the batch has settled.
 */
export interface Demand {
  /** Emits once, when `bytes` are reserved for the lane, and completes. Unsubscribing gives up the place in the queue. */
  reserve(lane: string, bytes: number): Observable<void>;
  /** Corrects a reservation by `bytes` (may be negative) once the true size is known. */
  adjust(lane: string, bytes: number): void;
}

/**
 * True if it is certain that the record whose text lies between `from` and `to` will be filtered. Then nothing has to be
 * made of it: it counts as `filtered` of its batch.
 */
export type RecordFilter = (text: string, from: number, to: number) => boolean;

/** What a pipeline gives to its source. */
export interface SourceContext {
  /** Nothing of this pipeline was ever saved. */
  readonly isFirstStart: boolean;
  /** By lane id: what the checkpoint had when the source was opened; from then on how far each lane has settled. */
  readonly saved: ReadonlyMap<string, SavedLane>;
  readonly demand: Demand;
  /** Emits (and replays) when reading must stop: the lanes then complete at their next boundary. */
  readonly stop: Observable<unknown>;
  /** Read what is there and complete, instead of waiting for more. */
  readonly once: boolean;
  /** With `once`: what cannot be reached for this long is an error. Without: it is tried without end. */
  readonly startDeadlineMs: number;
  /** Tells that a lane will never be opened again: the checkpoint drops it. */
  readonly forget: (lane: string) => void;
  /** The filter for the records of a lane with these fields, if the stages can tell by a text. Asking it is optional. */
  readonly filterFor?: (fields: Readonly<Record<string, unknown>>) => RecordFilter | undefined;
  readonly report: (notice: Notice) => void;
  /** Emits positions by lane, each time they have become durable in the checkpoint. For sources whose positions live elsewhere. */
  readonly durable: Observable<ReadonlyMap<string, number>>;
  /**
   * Set when positions are committed with the output, and not by the source. Completes when nobody else can commit for
   * these lanes any more, and we cannot for others.
   */
  readonly claim?: ((lanes: readonly ClaimedLane[]) => Observable<never>) | undefined;
  /** Tells that nothing more will be read: from now on whatever settles is saved at once. */
  readonly ended: () => void;
  /** Tells now and then how many bytes are known to be unread. */
  readonly behind: (bytes: number) => void;
}

/** A resource that is opened once per pipeline. */
export interface Source {
  open(context: SourceContext): Observable<Lane>;
}
