const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/**
 * MurmurHash2, 32 bits, of bytes, as a signed integer.
 * Source: org.apache.kafka.common.utils.Utils.murmur2, so that other clients find the same partition for the same key.
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const at = (index: number): number => bytes[index] ?? 0;
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let index = 0; index < whole; index += 4) {
    let part = at(index) | (at(index + 1) << 8) | (at(index + 2) << 16) | (at(index + 3) << 24);
    part = Math.imul(part, MIX);
    part ^= part >>> 24;
    hash = Math.imul(hash, MIX) ^ Math.imul(part, MIX);
  }
  const rest = length - whole;
  if (rest === 3) hash ^= at(whole + 2) << 16;
  if (rest >= 2) hash ^= at(whole + 1) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ at(whole), MIX);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MIX);
  return hash ^ (hash >>> 15);
}

/** The partition of a key among `count`, as Kafka's own partitioner computes it. */
export function partitionOf(key: string, count: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % count;
}
