import avsc from 'avsc';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { startSchemaRegistry } from '../servers/schema-registry.js';
import type { SchemaRegistry } from '../servers/schema-registry.js';
import { ndjson, placeForEachTest, until, within } from './harness.js';
import { Topics } from './kafka-topics.js';

const place = placeForEachTest();

/** As Confluent's serialisers write it. */
function framed(id: number, value: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, value]);
}

describeOnKafka()('Avro', () => {
  const kafka = kafkaForThisBlock();
  const topics = (): Topics => new Topics(kafka().brokers);
  let registry: SchemaRegistry;
  beforeEach(async () => {
    registry = await startSchemaRegistry('me:secret');
  });
  afterEach(() => registry.stop());

  const access = (): string => `registry: { url: "${registry.url}", username: me, password: "\${PASSWORD:-secret}" }`;

  const collector = (topic: string, more = ''): string => `name: collector
${more}
source: { tail: { paths: ["logs/*.log"], from: beginning, fields: { team: a } } }
stages:
  - parse: { format: json }
  - normalize: {}
routes:
  - to: { kafka: { brokers: ["${kafka().brokers[0]!}"], topic: ${topic}, format: avro, ${access()} } }
  - to: { file: { path: direct.ndjson } }
`;
  const processor = (topic: string): string => `name: processor
source:
  kafka: { brokers: ["${kafka().brokers[0]!}"], groupId: g-${topic}, topics: [${topic}], decode: avro, ${access()} }
checkpoint: { path: data/p.checkpoint, everyMs: 50 }
routes:
  - to: { file: { path: out.ndjson } }
deadLetter: { file: { path: dead.ndjson } }
`;

  it('file → Kafka → file: the same fields with the same values', async () => {
    const topic = await topics().create(1);
    const events = [
      { time: '2026-01-01T00:00:00.123Z', level: 'error', message: 'é 😀 "quoted"', 'service.name': 'shop' },
      {
        time: 'not a time',
        level: 'odd',
        message: 7,
        nothing: null,
        yes: true,
        ratio: 0.1,
        big: 9_007_199_254_740_991,
      },
      { nested: { deep: [1, { a: null }], empty: {} }, 'host.name': ['a', 'b'], 'event.severity': 'high', list: [] },
      { 'dotted.name@with-signs and blanks': 'x', fields: 'a field of that name', json: 1, timestamp: 'y' },
    ];
    place().write('logs/a.log', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    place().write('collector.yaml', collector(topic));
    place().write('processor.yaml', processor(topic));
    const sent = await place().once('collector.yaml');
    expect(sent.summary, sent.stderr).toMatchObject({ read: 4, delivered: 8, deadLettered: 0 });
    const { summary, stderr } = await place().once('processor.yaml');
    expect(summary, stderr).toMatchObject({ read: 4, delivered: 4, deadLettered: 0 });
    expect(ndjson(place().path('out.ndjson'))).toEqual(ndjson(place().path('direct.ndjson')));
    expect(ndjson(place().path('out.ndjson'))[0]).toMatchObject({
      '@timestamp': '2026-01-01T00:00:00.123Z',
      team: 'a',
    });
    expect(registry.schemas).toHaveLength(1);
    // Others read it by its schema alone.
    const [read] = await topics().readBytes(topic);
    const type = avsc.Type.forSchema(JSON.parse(registry.schemas[0]!) as avsc.Schema);
    expect(type.fromBuffer(read!.subarray(5))).toMatchObject({ log_level: 'error', service_name: 'shop' });
  });

  it('records of others; what has no schema, an unknown one, or does not fit it is a dead letter with its reason', async () => {
    const topic = await topics().create(1);
    const type = avsc.Type.forSchema({
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'number', type: 'long' },
        { name: 'customer', type: { type: 'record', name: 'Customer', fields: [{ name: 'name', type: 'string' }] } },
        { name: 'hash', type: 'bytes' },
      ],
    });
    const id = registry.register('order', JSON.stringify(type));
    const order = type.toBuffer({ number: 5, customer: { name: 'Ann' }, hash: Buffer.from([1, 2]) });
    await topics().send(topic, [
      { value: framed(id, order) },
      { value: framed(99, order) },
      { value: 'no Avro' },
      { value: framed(id, order.subarray(0, 2)) },
      { value: framed(id, order) },
    ]);
    place().write('processor.yaml', processor(topic));
    const { summary, stderr } = await place().once('processor.yaml');
    expect(summary, stderr).toMatchObject({ read: 5, delivered: 2, deadLettered: 3 });
    const out = ndjson(place().path('out.ndjson'));
    const expected = { number: 5, 'customer.name': 'Ann', hash: 'AQI=' };
    expect(out).toEqual([0, 4].map((offset) => ({ ...expected, 'event.id': `${topic}-0:${offset}` })));
    const dead = ndjson(place().path('dead.ndjson'));
    expect(dead.map((letter) => letter['error.code'])).toEqual(Array(3).fill('MILLRACE_E_KAFKA_SCHEMA'));
    expect(dead.map((letter) => letter['log.offset'])).toEqual([1, 2, 3]);
    expect(dead[0]!['error.message']).toContain('Schema 99 not found');
  });

  it('waits for a registry that is away: nothing is acknowledged, nothing is lost', async () => {
    const topic = await topics().create(1);
    const id = registry.register('text', '"string"');
    const value = framed(id, avsc.Type.forSchema('string').toBuffer('hello'));
    await topics().send(topic, [{ value }, { value }]);
    await registry.stop();
    place().write('processor.yaml', processor(topic));
    const running = place().start(['run', 'processor.yaml']);
    await until(
      () => `told: ${running.stderr()}`,
      () => running.stderr().includes('MILLRACE_E_KAFKA_REGISTRY'),
    );
    expect(await topics().committed(`g-${topic}`, topic)).toEqual([-1]);
    expect(ndjson(place().path('dead.ndjson'))).toEqual([]);
    await registry.start();
    await until(
      () => `read: ${running.stderr()}`,
      () => ndjson(place().path('out.ndjson')).length === 2,
    );
    running.kill('SIGTERM');
    const { code, stderr } = await within(10_000, 'the end', running.ended);
    expect([code, stderr.includes('secret')], stderr).toEqual([0, false]);
    expect(ndjson(place().path('out.ndjson'))[0]).toMatchObject({ message: 'hello' });
    expect(await topics().committed(`g-${topic}`, topic)).toEqual([2]);
  });

  it('says in time that the registry does not let us in, on both sides, without the password', async () => {
    const topic = await topics().create(1);
    await topics().send(topic, [{ value: framed(1, Buffer.from([0])) }]);
    place().write('logs/a.log', '{"message":"x"}\n');
    place().write('collector.yaml', collector(topic, 'startDeadlineMs: 2000'));
    place().write('processor.yaml', `startDeadlineMs: 2000\n${processor(topic)}`);
    for (const config of ['collector.yaml', 'processor.yaml']) {
      const { code, stderr } = await place().run(['run', config, '--once'], { env: { PASSWORD: 'wrong-one' } });
      expect([code, stderr.includes('MILLRACE_E_KAFKA_REGISTRY'), stderr.includes('wrong-one')], stderr).toEqual([
        2,
        true,
        false,
      ]);
    }
    expect(ndjson(place().path('dead.ndjson'))).toEqual([]);
  });
});
