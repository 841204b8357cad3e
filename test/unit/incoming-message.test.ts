import { firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { incomingMessage } from '../../src/service/kafka/client-message.js';
import type { KafkaMessage } from '../../src/service/kafka/kafkajs.js';
import { decodeMessages } from '../../src/sources/kafka/records.js';

/** A message as kafkajs gives it: it merges headers of one name, and takes what an object inherits for a first one. */
function message(headers: object): KafkaMessage {
  const value = Buffer.from('text');
  return { offset: '7', timestamp: '5', attributes: 0, key: null, value, size: 4, headers } as unknown as KafkaMessage;
}

async function fieldsOf(headers: object): Promise<Record<string, unknown>> {
  const decode = decodeMessages({ decode: 'line', metadata: true });
  const [record] = await firstValueFrom(decode([incomingMessage(message(headers))]));
  const { shape, values } = record!.content!;
  return Object.fromEntries(shape.keys.map((key, at) => [key, values[at]]));
}

const plain = { message: 'text', 'kafka.timestamp': '1970-01-01T00:00:00.005Z' };
const a = Buffer.from('a');

it.each([
  ['one value', { x: a }, { 'kafka.headers.x': 'a' }],
  ['several values', { x: [a, Buffer.from('b')] }, { 'kafka.headers.x': 'a, b' }],
  ['none, which Kafka allows', { x: null }, { 'kafka.headers.x': '' }],
  ['none among several', { x: [a, null] }, { 'kafka.headers.x': 'a, ' }],
  ['the name of what objects have', { toString: [{}.toString, a] }, { 'kafka.headers.toString': 'a' }],
  ['no headers', {}, {}],
])('a header with %s is a field', async (_, headers, fields) => {
  expect(await fieldsOf(headers)).toEqual({ ...plain, ...fields });
});

it('a time beyond all dates is no field', async () => {
  const odd = { ...message({}), timestamp: String(1.7e18) };
  const [record] = await firstValueFrom(decodeMessages({ decode: 'line', metadata: true })([incomingMessage(odd)]));
  expect(record?.content?.shape.keys).toEqual(['message']);
});

it('an id and a time that are empty are none', async () => {
  const [record] = await firstValueFrom(
    decodeMessages({ decode: 'line', metadata: false })([
      incomingMessage(message({ 'millrace-id': null, 'millrace-time': Buffer.alloc(0) })),
    ]),
  );
  expect(record).toMatchObject({ offset: 7, text: 'text', id: undefined, timeMs: 5 });
});
