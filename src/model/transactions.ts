import type { Observable } from 'rxjs';
import type { CheckpointStore } from './checkpoint.js';
import type { ClaimedLane, OutgoingMessage } from './kafka.js';
import type { Notice } from './notice.js';

/** A message of a lane, and what it takes in a request. */
export interface StagedMessage {
  readonly message: OutgoingMessage;
  readonly bytes: number;
}

/** What a sink puts into transactions, and where the lane is after it. */
export interface Staged {
  readonly lane: string;
  readonly position: number;
  readonly messages: readonly StagedMessage[];
}

/**
 * Output and positions in one transaction. A sink stages what it delivers; what has settled, and so is in the keeping of
 * every other leg, is committed together with the next checkpoint. Nobody sees what was not committed.
 */
export interface Transactions {
  /**
   * Loads and saves checkpoints; saving is committing. `save` has to be called when the checkpoint is taken, for it takes
   * along what has settled until then; its errors are final: what became of the transaction shows at the next start.
   */
  readonly store: CheckpointStore;
  /** How the topic of the messages is. */
  readonly topic: { readonly partitions: number; readonly maxMessageBytes: number | undefined };
  stage(staged: Staged): void;
  /** Everything of the lane up to this position has settled. */
  settled(lane: string, position: number): void;
  /**
   * Where positions are those of a consumer group: completes when nobody else can commit for these lanes any more, and
   * we cannot for others. What was staged of any lane is dropped.
   */
  claim?(lanes: readonly ClaimedLane[]): Observable<never>;
}

/** A resource that is opened once per pipeline, before its sinks and its source: emits when all is ours. */
export interface TransactionsResource {
  readonly name: string;
  open(context: { readonly pipeline: string; readonly report: (notice: Notice) => void }): Observable<Transactions>;
}
