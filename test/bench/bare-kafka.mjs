// What kafkajs itself can do, with nothing around it: `produce FILE TOPIC` sends every line of a file, `through FROM TO` reads
// a topic, keeps ERROR and WARN and sends them on. Same messages, keys, headers and guarantees as millrace's.
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';
import { partitionOf } from '../../dist/sinks/kafka/partition-of.js';

const { Kafka, logLevel } = kafkajs;
const [, , what, brokers, from, to] = process.argv;
/** Messages of a request; kafkajs sends one request after the other, so several sends side by side are no faster. */
const BATCH = Number(process.env.BARE_BATCH ?? 1000);
const PARTITIONS = 6;
const severities = { ERROR: 17, WARN: 13 };

const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
const producer = client.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  allowAutoTopicCreation: false,
  createPartitioner:
    () =>
    ({ message }) =>
      message.partition,
});
await producer.connect();
const send = (topic, messages) => producer.send({ topic, acks: -1, messages });

async function produce(file, topic) {
  const partition = partitionOf(file, PARTITIONS);
  const startedAt = performance.now();
  const text = readFileSync(file, 'utf8');
  let count = 0;
  for (let at = 0; at < text.length;) {
    const messages = [];
    while (messages.length < BATCH && at < text.length) {
      const end = text.indexOf('\n', at);
      messages.push({
        key: file,
        value: text.substring(at, end),
        headers: { 'millrace-id': `0123456789abcdef:${at}` },
        partition,
      });
      at = end + 1;
    }
    count += messages.length;
    await send(topic, messages);
  }
  return { read: count, delivered: count, seconds: (performance.now() - startedAt) / 1000 };
}

function outgoing({ offset, value, headers }) {
  const text = value.toString();
  const first = text.indexOf('|');
  const second = text.indexOf('|', first + 1);
  const level = text.substring(first + 1, second);
  if (level !== 'ERROR' && level !== 'WARN') return undefined;
  const id = headers['millrace-id'].toString();
  const json = JSON.stringify({
    '@timestamp': text.substring(0, first),
    'log.level': level,
    'event.severity': severities[level],
    message: text.substring(second + 1),
    'event.id': id,
  });
  const sent = { 'millrace-id': id, 'millrace-time': headers['millrace-time']?.toString() ?? offset };
  return { key: level, value: json, headers: sent, partition: partitionOf(level, PARTITIONS) };
}

async function through(source, target) {
  const admin = client.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(source);
  await admin.disconnect();
  let left = ends.reduce((sum, { high }) => sum + Number(high), 0);
  const count = { read: 0, delivered: 0 };
  const consumer = client.consumer({ groupId: `bare-${target}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [source], fromBeginning: true });
  const startedAt = performance.now();
  await new Promise((done, fail) => {
    const eachBatch = async ({ batch, resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets }) => {
      const messages = batch.messages.map(outgoing).filter((message) => message !== undefined);
      for (let at = 0; at < messages.length; at += BATCH) await send(target, messages.slice(at, at + BATCH));
      resolveOffset(batch.lastOffset());
      await commitOffsetsIfNecessary(uncommittedOffsets());
      count.read += batch.messages.length;
      count.delivered += messages.length;
      left -= batch.messages.length;
      if (left === 0) done();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(fail);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  await consumer.disconnect();
  return { ...count, seconds };
}

const result = await (what === 'produce' ? produce(from, to) : through(from, to));
await producer.disconnect();
console.log(JSON.stringify(result));
