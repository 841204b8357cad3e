import type { TopicPartition } from '../../model/kafka.js';

/** When a partition moves to a broker that has answered already, kafkajs leaves its messages out and says nothing. */
export function refuseUnanswered(sent: readonly TopicPartition[], answered: readonly TopicPartition[]): void {
  const known = new Set(answered.map(({ topic, partition }) => `${topic}/${partition}`));
  const missing = sent.find(({ topic, partition }) => !known.has(`${topic}/${partition}`));
  if (missing !== undefined) throw new Error(`no answer for partition ${missing.partition} of ${missing.topic}`);
}
