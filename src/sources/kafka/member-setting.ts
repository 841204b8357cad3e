import type { SchedulerLike } from 'rxjs';
import type { SavedLane, SourceContext } from '../../model/source.js';
import type { KafkaSourceOptions } from './options.js';
import type { Decode } from './records.js';

/** What a membership needs of its source. */
export interface MemberSetting {
  readonly options: KafkaSourceOptions;
  readonly decode: Decode;
  readonly context: SourceContext;
  readonly scheduler: SchedulerLike;
  /** With `once`: where each partition ended when it was first seen. Kept by the source, from one member to the next. */
  readonly ends: Map<string, number>;
  /** Of these, what was read to there. */
  readonly ended: Set<string>;
  /** What the checkpoint had of lanes when the source was opened, until they are. */
  readonly saved: Map<string, SavedLane>;
}
