import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordBatch } from '../../src/service/kafka/record-batch.js';
import type { BatchMessage } from '../../src/service/kafka/record-batch.js';

const load = createRequire(import.meta.url);
interface Encoder {
  readonly buffer: Buffer;
}
const { RecordBatch } = load('kafkajs/src/protocol/recordBatch/v0') as {
  readonly RecordBatch: (batch: object) => Promise<Encoder>;
};
const record = load('kafkajs/src/protocol/recordBatch/record/v0') as (message: object) => Encoder;

const head = { timestampMs: 1_700_000_000_123, producerId: 4711n, producerEpoch: 3, firstSequence: 99_999, codec: 0 };

/** The same batch by kafkajs. */
async function theirs(messages: readonly BatchMessage[], isTransactional: boolean): Promise<Buffer> {
  const buffers = messages.map(({ key, value, headers }) => ({
    key: key instanceof Uint8Array ? Buffer.from(key) : key,
    value: value instanceof Uint8Array ? Buffer.from(value) : value,
    headers,
  }));
  const batch = await RecordBatch({
    records: buffers.map((message, offsetDelta) => record({ ...message, offsetDelta })),
    firstTimestamp: head.timestampMs,
    maxTimestamp: head.timestampMs,
    producerId: String(head.producerId),
    producerEpoch: head.producerEpoch,
    firstSequence: head.firstSequence,
    transactional: isTransactional,
    lastOffsetDelta: messages.length - 1,
  });
  return batch.buffer;
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ maxLength: 70 }),
  fc.constantFrom('é'.repeat(100), 'x'.repeat(5000), '€😀'),
);
const bytes = fc.uint8Array({ maxLength: 300 });
const message: fc.Arbitrary<BatchMessage> = fc.record({
  key: fc.oneof(text, bytes, fc.constant(null)),
  value: fc.oneof(text, bytes, fc.constant(null)),
  headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 40 }), fc.oneof(text, fc.constant('1:2')), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
});

describe('recordBatch', () => {
  it('is byte for byte what kafkajs makes', async () => {
    const batches = fc.array(message, { minLength: 1, maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(batches, fc.boolean(), async (messages, isTransactional) => {
        const ours = await recordBatch(messages, { ...head, isTransactional });
        expect(ours.equals(await theirs(messages, isTransactional))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('compresses the records and says by what', async () => {
    const compress = (records: Buffer): Promise<Buffer> =>
      Promise.resolve(Buffer.from(records.map((byte) => byte ^ 255)));
    const plain = await recordBatch([{ value: 'text' }], { ...head, isTransactional: false });
    const packed = await recordBatch([{ value: 'text' }], { ...head, isTransactional: false, codec: 3 }, compress);
    expect(packed.readInt16BE(21)).toBe(3);
    expect(packed.subarray(61).map((byte) => byte ^ 255)).toEqual(plain.subarray(61));
    expect(packed.subarray(23, 61)).toEqual(plain.subarray(23, 61));
  });
});
