import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

/** Compression as the Kafka client takes it; loaded when the first request needs it. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

type Transform = (input: Buffer) => Promise<Buffer>;

const codec = (compress: Transform, decompress: Transform): Codec => ({
  compress: ({ buffer }) => compress(buffer),
  decompress,
});

/** What Java's snappy streams begin with: magic, version and compatible version, before blocks with their lengths. */
const XERIAL_MAGIC = Buffer.from([130, 83, 78, 65, 80, 80, 89, 0]);
const XERIAL_HEADER_BYTES = 16;

async function unsnappy(input: Buffer): Promise<Buffer> {
  const { uncompress } = await import('snappy');
  if (!input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return Buffer.from(await uncompress(input));
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < input.length;) {
    const length = input.readUInt32BE(at);
    blocks.push(Buffer.from(await uncompress(input.subarray(at + 4, at + 4 + length))));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

const snappy: Codec = codec(async (input) => {
  const { compress } = await import('snappy');
  return compress(input);
}, unsnappy);

const lz4: Codec = codec(
  async (input) => (await import('lz4-napi')).compressFrame(input),
  async (input) => (await import('lz4-napi')).decompressFrame(input),
);

type ZlibTransform = (input: Buffer, done: (error: Error | null, output: Buffer) => void) => void;

const { zstdCompress, zstdDecompress } = zlib as unknown as Readonly<Record<string, ZlibTransform | undefined>>;

/** In node:zlib from Node 22.15 on. */
const zstd: Codec | undefined =
  zstdCompress === undefined || zstdDecompress === undefined
    ? undefined
    : codec(promisify(zstdCompress), promisify(zstdDecompress));

/** Those that kafkajs does not bring along. */
export const codecs: { readonly snappy: Codec; readonly lz4: Codec; readonly zstd: Codec | undefined } = {
  snappy,
  lz4,
  zstd,
};
