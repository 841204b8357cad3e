import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../src/sinks/kafka/partition-of.js';

describe('murmur2', () => {
  // The cases of UtilsTest.testMurmur2 in Apache Kafka.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])('of %s is that of the Java client', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('takes one to three bytes beyond the last four', () => {
    expect(murmur2(Uint8Array.of(0x61, 0x62, 0x63))).toBe(479470107);
  });
});

describe('partitionOf', () => {
  it('is never negative and always the same', () => {
    const keys = ['ERROR', 'WARN', 'INFO', 'DEBUG', ''];
    const partitions = keys.map((key) => partitionOf(key, 6));
    expect(partitions.every((partition) => partition >= 0 && partition < 6)).toBe(true);
    expect(keys.map((key) => partitionOf(key, 6))).toEqual(partitions);
    expect(partitionOf('21', 1000)).toBe((-973932308 & 0x7fffffff) % 1000);
  });
});
