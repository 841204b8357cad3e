import { crc32c } from '@node-rs/crc32';

/** What a message is to the protocol. */
export interface BatchMessage {
  readonly key?: string | Uint8Array | null;
  readonly value: string | Uint8Array | null;
  readonly headers?: Readonly<Record<string, string | Uint8Array>>;
}

/** What a batch says once for all its records. */
export interface BatchHead {
  readonly timestampMs: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly isTransactional: boolean;
  /** Kafka's number of the codec; 0 is none. */
  readonly codec: number;
}

type Compress = (records: Buffer) => Promise<Buffer>;

const HEAD_BYTES = 61;
/** Where the batch's length begins to count, and where its checksum does. */
const LENGTH_FROM = 12;
const CHECKSUM_FROM = 21;
const MAGIC = 2;
const TRANSACTIONAL = 16;
const FIRST_GUESS_BYTES = 320;
/** Up to this length a look at each character is quicker than a call. */
const SHORT_CHARS = 32;
const MAX_VARINT_BYTES = 5;

function lengthOf(part: string | Uint8Array | null | undefined): number {
  if (part === null || part === undefined) return -1;
  return typeof part === 'string' ? Buffer.byteLength(part) : part.length;
}

function varintBytes(value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let bytes = 1;
  for (; rest > 127; rest >>>= 7) bytes++;
  return bytes;
}

const sizeOf = (length: number): number => varintBytes(length) + Math.max(0, length);

/** A buffer that grows. */
class Records {
  #bytes: Buffer;
  #at = HEAD_BYTES;

  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafe(HEAD_BYTES + bytes);
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  add({ key, value, headers = {} }: BatchMessage, index: number): void {
    const [keyLength, valueLength] = [lengthOf(key), lengthOf(value)];
    let size = 2 + varintBytes(index) + sizeOf(keyLength) + sizeOf(valueLength);
    let count = 0;
    for (const name in headers) {
      count++;
      size += sizeOf(lengthOf(name)) + sizeOf(lengthOf(headers[name]));
    }
    size += varintBytes(count);
    this.#reserve(size + MAX_VARINT_BYTES);
    this.#varint(size);
    // No attributes, and the batch's own timestamp.
    this.#bytes[this.#at++] = 0;
    this.#bytes[this.#at++] = 0;
    this.#varint(index);
    this.#part(key, keyLength);
    this.#part(value, valueLength);
    this.#varint(count);
    for (const name in headers) {
      this.#part(name, lengthOf(name));
      this.#part(headers[name], lengthOf(headers[name]));
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  #varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; rest > 127; rest >>>= 7) this.#bytes[this.#at++] = (rest & 127) | 128;
    this.#bytes[this.#at++] = rest;
  }

  #part(part: string | Uint8Array | null | undefined, length: number): void {
    this.#varint(length);
    if (part === null || part === undefined) return;
    if (typeof part !== 'string') this.#bytes.set(part, this.#at);
    else if (length === part.length && length <= SHORT_CHARS) {
      for (let at = 0; at < length; at++) this.#bytes[this.#at + at] = part.charCodeAt(at);
    } else this.#bytes.write(part, this.#at, length, length === part.length ? 'latin1' : 'utf8');
    this.#at += length;
  }
}

/**
 * Messages as a record batch of version 2, ready for the log.
 * Source of the format: https://kafka.apache.org/documentation/#recordbatch
 */
export async function recordBatch(
  messages: readonly BatchMessage[],
  { timestampMs, producerId, producerEpoch, firstSequence, isTransactional, codec }: BatchHead,
  compress?: Compress,
): Promise<Buffer> {
  const records = new Records(messages.length * FIRST_GUESS_BYTES);
  messages.forEach((message, index) => records.add(message, index));
  let batch = records.bytes;
  if (compress !== undefined) {
    batch = Buffer.concat([batch.subarray(0, HEAD_BYTES), await compress(batch.subarray(HEAD_BYTES))]);
  }
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - LENGTH_FROM, 8);
  batch.writeInt32BE(0, LENGTH_FROM);
  batch.writeInt8(MAGIC, 16);
  batch.writeInt16BE(codec | (isTransactional ? TRANSACTIONAL : 0), CHECKSUM_FROM);
  batch.writeInt32BE(messages.length - 1, 23);
  batch.writeBigInt64BE(BigInt(timestampMs), 27);
  batch.writeBigInt64BE(BigInt(timestampMs), 35);
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(producerEpoch, 51);
  batch.writeInt32BE(firstSequence, 53);
  batch.writeInt32BE(messages.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(CHECKSUM_FROM)), 17);
  return batch;
}
