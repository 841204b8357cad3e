import type { SchedulerLike } from 'rxjs';
import type { SourceContext } from '../../model/source.js';
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
  /** Positions of lanes that are durable. */
  readonly durable: Map<string, number>;
}
