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

/** What an answer of the client is about. */
export function answeredOf({ topicName, partition }: RecordMetadata): TopicPartition {
  return { topic: topicName, partition };
}
