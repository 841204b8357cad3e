import type { TransactionalMessage } from '../../model/kafka.js';

/** The client's cost grows with the square of it. */
const MAX_MESSAGES_PER_PARTITION = 1000;
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** A message without its topic, and what it takes in a request. */
export interface Weighed {
  readonly message: Omit<TransactionalMessage, 'topic'>;
  readonly bytes: number;
}

/** What a transaction writes to a topic. */
export interface ForTopic {
  readonly topic: string;
  readonly messages: readonly Weighed[];
}

/** The messages of a partition, in order, and how far they were taken. */
interface Queue {
  readonly topic: string;
  readonly messages: Weighed[];
  next: number;
}

/**
 * Messages as requests: in order in each partition, of each no more than `maxPartitionBytes` (the broker takes what a
 * request has of a partition for one message), unless it is one. Topics share requests.
 */
export function* requestsOf(parts: readonly ForTopic[], maxPartitionBytes: number): Generator<TransactionalMessage[]> {
  const queues = queuesOf(parts);
  while (queues.size > 0) {
    const request: TransactionalMessage[] = [];
    let bytes = 0;
    for (const [name, queue] of queues) {
      if (bytes >= MAX_REQUEST_BYTES) break;
      for (const staged of takeFrom(queue, maxPartitionBytes)) {
        request.push({ ...staged.message, topic: queue.topic });
        bytes += staged.bytes;
      }
      if (queue.next === queue.messages.length) queues.delete(name);
    }
    yield request;
  }
}

function queuesOf(parts: readonly ForTopic[]): Map<string, Queue> {
  const queues = new Map<string, Queue>();
  for (const { topic, messages } of parts) {
    for (const staged of messages) {
      const name = `${topic}/${staged.message.partition}`;
      let queue = queues.get(name);
      if (queue === undefined) queues.set(name, (queue = { topic, messages: [], next: 0 }));
      queue.messages.push(staged);
    }
  }
  return queues;
}

function takeFrom(queue: Queue, maxBytes: number): readonly Weighed[] {
  const first = queue.next;
  let bytes = 0;
  while (queue.next < queue.messages.length && queue.next - first < MAX_MESSAGES_PER_PARTITION) {
    bytes += queue.messages[queue.next]?.bytes ?? 0;
    if (bytes > maxBytes && queue.next > first) break;
    queue.next++;
  }
  return queue.messages.slice(first, queue.next);
}
