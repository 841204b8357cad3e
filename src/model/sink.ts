import type { Observable } from 'rxjs';
import type { DeadLetter } from './dead-letter.js';
import type { LogEvent } from './event.js';
import type { Json } from './json.js';
import type { Notice } from './notice.js';
import type { Transactions } from './transactions.js';

/** A thing that was delivered or refused: an event, or a dead letter. */
export interface Delivery<T = LogEvent> {
  readonly lane: string;
  /** The lane's position after these items. */
  readonly position: number;
  readonly items: readonly T[];
}

/** What became of a delivery: delivered + duplicates + refused = items. */
export interface Receipt<T = LogEvent> {
  readonly delivered: number;
  /** Items the sink already had from before a crash. */
  readonly duplicates: number;
  readonly refused: readonly Refusal<T>[];
}

/** What a sink will never take, and why: it becomes a dead letter. */
export interface Refusal<T = LogEvent> {
  readonly item: T;
  readonly reason: Error;
}

/** A sink's own part of a checkpoint: its state at one instant, and what must be made durable before it may be saved. */
export interface SinkCapture {
  readonly state: Json;
  /** Completes when everything `state` speaks of is durable. */
  readonly sync: Observable<never>;
  /** Called when a checkpoint with this state is durable. */
  readonly saved?: () => void;
}

/** An open sink. */
export interface Sink<T = LogEvent> {
  /** How many batches of a lane it takes side by side; receipts still come in lane order. Default 1. */
  readonly inFlightPerLane?: number;
  /** Wants to know when records came in (`arrivedMs`): the pipeline notes it. */
  readonly usesArrivals?: true | undefined;
  /** Emits one receipt and completes when everything it took is in the sink's keeping. Transient errors may be retried. */
  deliver(delivery: Delivery<T>): Observable<Receipt<T>>;
  /**
   * Several deliveries of one lane together, in order. After an error it is open which of them were taken: all come
   * again. A leg whose sink has it hands over what came while it waited, so that one request serves many batches.
   * Emits the receipts, one for each.
   */
  deliverRun?(deliveries: readonly Delivery<T>[]): Observable<readonly Receipt<T>[]>;
  /** For sinks whose state lives in the checkpoint. `settled`: positions that will never be read again. */
  capture?(settled: ReadonlyMap<string, number>): SinkCapture;
  /** For sinks that tidy up in the background: completes when there is nothing left to do now, or it cannot be done. */
  finish?(): Observable<never>;
}

/** What a pipeline gives to its sinks. */
export interface SinkContext {
  /** The names of the pipeline and of the leg: together they are the sink's own. */
  readonly pipeline: string;
  readonly leg: string;
  /** What the sink captured at the last checkpoint, or undefined at the first start. */
  readonly saved: Json | undefined;
  /** Completes when a checkpoint that was captured after the subscription is durable. */
  readonly save: Observable<never>;
  readonly report: (notice: Notice) => void;
  /** For the sink whose output is committed with the checkpoint. */
  readonly transactions?: Transactions | undefined;
}

/** A resource that is opened once per pipeline: emits the open sink; unsubscribing closes it. */
export interface SinkResource<T = LogEvent> {
  readonly name: string;
  /** Nothing else may write what the name says: a file. */
  readonly isExclusive?: true;
  open(context: SinkContext): Observable<Sink<T>>;
}

/** A sink of events whose place takes dead letters too: they are written in their own form. */
export interface EventSink extends SinkResource {
  readonly deadLetters: SinkResource<DeadLetter>;
}
