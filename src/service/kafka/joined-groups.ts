import { createRequire } from 'node:module';
import type { OffsetsByTopicPartition } from './kafkajs.js';

/** What kafkajs knows of a group that a consumer is a member of. */
interface ConsumerGroup {
  readonly memberId: string | null;
  joinAndSync(): Promise<void>;
  commitOffsets(offsets: OffsetsByTopicPartition): Promise<void>;
}

/** Commits at once, in the generation of that instant. */
export type CommitNow = (offsets: OffsetsByTopicPartition) => Promise<void>;

const joined = new Map<string, ConsumerGroup>();

/**
 * kafkajs lets a member commit in its generation only while it handles a batch; its other method would try again in a later
 * generation. But what had settled before a member was lost has to be committed before anything is fetched.
 */
function rememberJoined(): void {
  const load = createRequire(import.meta.url);
  const { prototype } = load('kafkajs/src/consumer/consumerGroup') as { readonly prototype: ConsumerGroup };
  // Called with its group as `this`.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const join = prototype.joinAndSync;
  prototype.joinAndSync = async function (this: ConsumerGroup) {
    await join.call(this);
    if (this.memberId !== null) joined.set(this.memberId, this);
  };
}
rememberJoined();

/** How a member commits that has joined just now; undefined when it was asked for before. */
export function takeCommitOf(member: string): CommitNow | undefined {
  const group = joined.get(member);
  joined.delete(member);
  return group && ((offsets) => group.commitOffsets(offsets));
}
