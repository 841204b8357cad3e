import { describe, expect, expectTypeOf, it } from 'vitest';
import { duckdbSink } from '../../src/duckdb.js';
import { elasticsearchSink } from '../../src/elasticsearch.js';
import { kafkaSink, kafkaSource } from '../../src/kafka.js';
import { fileSink } from '../../src/local.js';
import type { EventSink, SinkResource } from '../../src/model/sink.js';
import { tailSource } from '../../src/tail.js';

const brokers = ['localhost:9092'];

describe('the factories', () => {
  it('take the keys of configurations; what has a default may be left out', () => {
    expectTypeOf(kafkaSink).returns.toEqualTypeOf<EventSink>();
    expectTypeOf(duckdbSink).returns.toEqualTypeOf<SinkResource>();
    const made = [
      () => kafkaSource({ brokers, topics: ['a'], groupId: 'g', tls: { verify: false } }),
      () => kafkaSink({ brokers, topic: 'a', createTopic: { partitions: 3 } }),
      () => elasticsearchSink({ nodes: ['http://localhost:9200'] }),
      () => tailSource({ paths: 'a.log', multiline: { start: '^x' } }),
      () => fileSink({ path: 'a', rotate: { every: 'day' } }),
      () => duckdbSink({ path: 'a.duckdb', export: { path: 'parquet' } }),
    ];
    for (const make of made) expect(make).not.toThrow();
  });

  it('refuse what cannot work', () => {
    // @ts-expect-error -- the group is needed
    expect(() => kafkaSource({ brokers, topics: ['a'] })).toThrow('groupId: expected a string');
    // @ts-expect-error -- there is no such key
    expect(() => kafkaSink({ brokers, topic: 'a', acks: 1 })).toThrow('acks: unknown key');
    // @ts-expect-error -- the transaction belongs to the pipeline, and only a configuration gives it one
    expect(() => kafkaSink({ brokers, topic: 'a', transactional: true })).toThrow('transactional');
    // @ts-expect-error -- there is no such beginning
    expect(() => tailSource({ paths: 'a.log', from: 'middle' })).toThrow('from: expected one of beginning, end');
    // @ts-expect-error -- a folder is needed
    expect(() => duckdbSink({ path: 'b.duckdb', export: { every: 'day' } })).toThrow('export.path');
    // @ts-expect-error -- dead letters are no events, so a store has no place for them
    expect(duckdbSink({ path: 'c.duckdb' }).deadLetters).toBeUndefined();
  });
});
