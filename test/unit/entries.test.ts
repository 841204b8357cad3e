import { NEVER, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { duckdbSink } from '../../src/duckdb.js';
import { elasticsearchSink } from '../../src/elasticsearch.js';
import { kafkaSink, kafkaSource } from '../../src/kafka.js';
import type { Kafka } from '../../src/kafka.js';
import { checkpointFile, consoleSink, fileSink } from '../../src/local.js';
import { MillraceError } from '../../src/model/errors.js';
import type { SinkContext } from '../../src/model/sink.js';
import type { SourceContext } from '../../src/model/source.js';
import { tailSource } from '../../src/tail.js';

const context: SinkContext = { pipeline: 'p', leg: 'l', saved: undefined, save: NEVER, report: () => undefined };

const unused: Kafka = {
  produce: () => NEVER,
  consume: () => NEVER,
  transact: () => NEVER,
  describe: () => NEVER,
  read: () => NEVER,
};

function faultOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof MillraceError) return `${error.code} ${error.message}`;
  }
  return 'no fault';
}

describe('the factories', () => {
  it('check their options as a configuration is checked, and say everything that is wrong', () => {
    const odd = { brokers: ['nowhere'], topics: ['a'], groupId: 'g', form: 'end' };
    expect(faultOf(() => kafkaSource(odd))).toMatch(
      /^MILLRACE_E_CONFIG_INVALID .*: kafkaSource: brokers\[0\]: expected host:port; form: unknown key, expected one of brokers, /,
    );
    expect(faultOf(() => kafkaSink({ brokers: ['a:1'], topic: 'a b' }))).toContain('kafkaSink: topic: expected a name');
    expect(faultOf(() => elasticsearchSink({ nodes: [] }))).toContain('elasticsearchSink: nodes: expected a list');
    expect(faultOf(() => tailSource({ paths: [] }))).toContain('tailSource: paths: expected a list');
    expect(faultOf(() => duckdbSink({ path: '' }))).toContain('duckdbSink: path: expected a string');
    expect(faultOf(() => fileSink({ path: 'a', gzip: true }))).toContain('fileSink: gzip: expected rotate beside it');
    const stream = process.stdout;
    expect(faultOf(() => consoleSink({ stream, format: 'odd' as 'json' }))).toContain('consoleSink: format: expected');
  });

  it('fill in defaults, and use the ports that they are given', () => {
    const asked: unknown[] = [];
    const refuse = (...given: unknown[]): Observable<never> => {
      asked.push(given);
      return throwError(() => new Error('asked'));
    };
    const kafka: Kafka = { ...unused, produce: refuse, consume: refuse };
    const sink = kafkaSink({ brokers: ['a:1'], topic: 't', tls: {}, createTopic: {} }, { kafka });
    sink.open(context).subscribe({ error: () => undefined });
    sink.deadLetters.open(context).subscribe({ error: () => undefined });
    const connection = { brokers: ['a:1'], clientId: 'millrace', tls: { verify: true }, sasl: undefined };
    const producing = { topic: 't', compression: 'none', createTopic: { partitions: 6, replicas: 1 } };
    expect(asked).toMatchObject([
      [connection, producing],
      [connection, producing],
    ]);
    const connected: unknown[] = [];
    const connect = (options: unknown): Observable<never> => {
      connected.push(options);
      return NEVER;
    };
    elasticsearchSink({ nodes: ['http://a:1'], tls: {} }, { connect })
      .open(context)
      .subscribe();
    expect(connected[0]).toMatchObject({ maxBulkItems: 4000, tls: { verify: true } });
  });

  it('hand over the ports of sources', () => {
    const asked: unknown[] = [];
    const kafka: Kafka = {
      ...unused,
      consume: (...given) => {
        asked.push(given[1]);
        return NEVER;
      },
    };
    const source: SourceContext = {
      isFirstStart: true,
      saved: new Map(),
      demand: { reserve: () => of(undefined), adjust: () => undefined },
      stop: NEVER,
      once: false,
      startDeadlineMs: 1000,
      forget: () => undefined,
      report: () => undefined,
      durable: NEVER,
      ended: () => undefined,
      behind: () => undefined,
    };
    const options = { brokers: ['a:1'], topics: ['t'], groupId: 'g' };
    kafkaSource(options, { kafka }).open(source).subscribe().unsubscribe();
    expect(asked).toEqual([{ groupId: 'g', topics: ['t'], sessionTimeoutMs: 30_000 }]);
  });

  it('know a place for the dead letters of a checkpoint', () => {
    const { deadLetters } = checkpointFile('data/a.checkpoint', { cwd: '/srv' });
    expect(deadLetters.name).toBe('file /srv/data/a.dead.ndjson');
  });
});
