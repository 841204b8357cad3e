import type { IncomingMessage, TopicPartition } from '../../model/kafka.js';
import type { KafkaMessage, Partitioner, RecordMetadata } from './kafkajs.js';

const NOTHING = Buffer.alloc(0);

/** Kafka allows headers without a value; and of a header that is named as what objects inherit, kafkajs makes a list with it. */
function headersOf(headers: KafkaMessage['headers'] = {}): IncomingMessage['headers'] {
  if (Object.values(headers).every((value) => Buffer.isBuffer(value))) return headers;
  const isValue = (value: unknown): boolean => value === null || Buffer.isBuffer(value);
  const all = Object.entries(headers).map(([name, value]): [string, Buffer[]] => {
    const values = [value].flat().filter(isValue) as (Buffer | null)[];
    return [name, values.map((each) => each ?? NOTHING)];
  });
  return Object.fromEntries(all);
}

/** A message of the client as the port has it. */
export function incomingMessage({ offset, timestamp, key, value, headers }: KafkaMessage): IncomingMessage {
  return { offset: Number(offset), timestampMs: Number(timestamp), key, value, headers: headersOf(headers) };
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
