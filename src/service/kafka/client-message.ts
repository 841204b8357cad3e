import type { IncomingMessage, TopicPartition } from '../../model/kafka.js';
import type { KafkaMessage, Partitioner, RecordMetadata } from './kafkajs.js';

/** A message of the client as the port has it. */
export function incomingMessage({ offset, timestamp, key, value, headers }: KafkaMessage): IncomingMessage {
  return { offset: Number(offset), timestampMs: Number(timestamp), key, value, headers: headers ?? {} };
}

/** Who sends has chosen the partition. */
export const asAddressed: Partitioner =
  () =>
  ({ message }) =>
    message.partition ?? 0;

/** When a partition moves to a broker that has answered already, kafkajs leaves its messages out and says nothing. */
export function refuseUnanswered(sent: readonly TopicPartition[], answers: readonly RecordMetadata[]): void {
  const answered = new Set(answers.map(({ topicName, partition }) => `${topicName}/${partition}`));
  const missing = sent.find(({ topic, partition }) => !answered.has(`${topic}/${partition}`));
  if (missing !== undefined) throw new Error(`no answer for partition ${missing.partition} of ${missing.topic}`);
}
