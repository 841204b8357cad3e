import type { Observable } from 'rxjs';
import type { Json } from './json.js';
import type { SavedLane } from './source.js';

/** Everything a pipeline needs to go on where it stopped. */
export interface Checkpoint {
  readonly lanes: ReadonlyMap<string, SavedLane>;
  /** By leg name: what the sinks captured. */
  readonly sinks: ReadonlyMap<string, Json>;
  /** By name and place: what the stages remember. */
  readonly stages: ReadonlyMap<string, Json>;
}

/** Where checkpoints are kept. */
export interface CheckpointStore {
  /** Emits the last saved checkpoint, or undefined if there is none. */
  load(): Observable<Checkpoint | undefined>;
  /** Completes when the checkpoint is durable; what was saved before is then replaced, never half of each. */
  save(checkpoint: Checkpoint): Observable<void>;
}
