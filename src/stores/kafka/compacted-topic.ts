import type { NewTopic } from '../../model/kafka.js';

/** A topic of states. Its segments are small, because only closed ones are compacted. */
export const COMPACTED_TOPIC: NewTopic = {
  partitions: 1,
  settings: { 'cleanup.policy': 'compact', 'segment.bytes': '16777216', 'min.cleanable.dirty.ratio': '0.1' },
};
