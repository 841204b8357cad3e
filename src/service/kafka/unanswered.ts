import type { TopicPartition } from '../../model/kafka.js';

/** When a partition moves to a broker that has answered already, kafkajs leaves its messages out and says nothing. */
export function refuseUnanswered(sent: readonly TopicPartition[], answered: readonly TopicPartition[]): void {
  // Many messages, few partitions.
  const open = new Map<string, Set<number>>();
  for (const { topic, partition } of sent) {
    const partitions = open.get(topic);
    if (partitions === undefined) open.set(topic, new Set([partition]));
    else partitions.add(partition);
  }
  for (const { topic, partition } of answered) open.get(topic)?.delete(partition);
  const [missing] = [...open].flatMap(([topic, partitions]) =>
    [...partitions].map((partition) => ({ topic, partition })),
  );
  if (missing !== undefined) throw new Error(`no answer for partition ${missing.partition} of ${missing.topic}`);
}
