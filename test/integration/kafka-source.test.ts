import { expect, it } from 'vitest';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { linesOf, ndjson, placeForEachTest, until, within } from './harness.js';
import { KAFKA_CLIENTS, Topics } from './kafka-topics.js';

const place = placeForEachTest();

const numbered = (count: number, from = 0): { value: string; partition: number }[] =>
  Array.from({ length: count }, (_, n) => ({ value: `line ${from + n}`, partition: n % 3 }));

describeOnKafka().each(KAFKA_CLIENTS)('the Kafka source, by %s', (client) => {
  const kafka = kafkaForThisBlock();
  const topics = (): Topics => new Topics(kafka().brokers);

  const config = (source: string, more = ''): string => `name: processor
${more}
source:
  kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], groupId: processors, sessionTimeoutMs: 6000, ${source} }
checkpoint: { path: data/p.checkpoint, everyMs: 100 }
routes:
  - name: out
    to:
      file: { path: out.ndjson }
deadLetter:
  file: { path: dead.ndjson }
`;

  it('reads every message once, up to the ends at the start, and goes on there next time', async () => {
    const topic = await topics().create(3);
    await topics().send(topic, numbered(30_000));
    const group = `g-${topic}`;
    place().write('pipeline.yaml', config(`topics: [${topic}]`).replace('processors', group));
    const { summary, stderr, code } = await place().once();
    expect(summary, stderr).toMatchObject({ read: 30_000, delivered: 30_000 });
    expect(code).toBe(0);
    const out = ndjson(place().path('out.ndjson'));
    expect(new Set(out.map(({ message }) => message)).size).toBe(30_000);
    expect(out.every((event) => /^test-.*-[012]:\d+$/.test(String(event['event.id'])))).toBe(true);
    expect(await topics().committed(group, topic)).toEqual([10_000, 10_000, 10_000]);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
    await topics().send(topic, numbered(9, 30_000));
    expect((await place().once()).summary).toMatchObject({ read: 9, delivered: 9 });
    expect(linesOf(place().path('out.ndjson'))).toHaveLength(30_009);
  });

  it('keeps the id that a message carries, and the key, time and headers as fields when asked', async () => {
    const topic = await topics().create(1);
    const headers = { 'millrace-id': 'collector:42', 'millrace-time': '1000', team: 'a' };
    await topics().send(topic, [{ key: 'k', value: 'with all', headers }, { value: 'bare' }, { value: null }]);
    place().write('pipeline.yaml', config(`topics: [${topic}], metadata: true`));
    await place().once();
    const [all, bare, none] = ndjson(place().path('out.ndjson'));
    expect(all).toMatchObject({
      message: 'with all',
      'event.id': 'collector:42',
      'kafka.key': 'k',
      'kafka.topic': topic,
      'kafka.partition': 0,
      'kafka.headers.team': 'a',
    });
    expect(bare).toMatchObject({ message: 'bare', 'event.id': `${topic}-0:1` });
    expect(bare).not.toHaveProperty('kafka.key');
    expect(Math.abs(Date.now() - Date.parse(String(bare?.['kafka.timestamp'])))).toBeLessThan(60_000);
    expect(none).toMatchObject({ message: '', 'event.id': `${topic}-0:2` });
  });

  it('decodes JSON; what is none becomes a dead letter with its bytes', async () => {
    const topic = await topics().create(1);
    const broken = Buffer.from([0xff, 0xfe, 0x7b]);
    await topics().send(topic, [
      { value: '{"log.level":"WARN","a":{"b":1}}' },
      { value: 'no json' },
      { value: broken },
    ]);
    place().write('pipeline.yaml', config(`topics: [${topic}], decode: json`));
    expect((await place().once()).summary).toMatchObject({ read: 3, delivered: 1, deadLettered: 2 });
    expect(ndjson(place().path('out.ndjson'))).toEqual([{ 'log.level': 'WARN', 'a.b': 1, 'event.id': `${topic}-0:0` }]);
    const dead = ndjson(place().path('dead.ndjson'));
    expect(dead[0]).toMatchObject({ 'error.code': 'MILLRACE_E_PARSE_JSON', 'event.original': 'no json' });
    expect(dead[1]).toMatchObject({ 'event.original_base64': broken.toString('base64'), 'log.offset': 2 });
  });

  it.each(['gzip', 'snappy', 'lz4', ...(Number(process.versions.node.split('.')[0]) >= 23 ? ['zstd'] : [])])(
    'collector → %s → processor: every line once, in order, with its id',
    async (compression) => {
      const topic = await topics().create(2);
      place().write('logs/a.log', Array.from({ length: 4000 }, (_, n) => `line ${n}\n`).join(''));
      place().write(
        'collector.yaml',
        `source: { tail: { paths: ["logs/*.log"], from: beginning } }
routes:
  - to:
      kafka: { client: ${client}, brokers: ["${kafka().brokers[0]!}"], topic: ${topic}, format: raw, compression: ${compression}, key: log.file.path }
`,
      );
      expect((await place().once('collector.yaml')).summary).toMatchObject({ delivered: 4000 });
      place().write('pipeline.yaml', config(`topics: ["/^${topic}$/"]`));
      expect((await place().once()).summary).toMatchObject({ read: 4000, delivered: 4000 });
      const out = ndjson(place().path('out.ndjson'));
      expect(out.map(({ message }) => message)).toEqual(Array.from({ length: 4000 }, (_, n) => `line ${n}`));
      expect(out.every((event) => !String(event['event.id']).startsWith('test-'))).toBe(true);
    },
  );

  it('a service: takes what comes, and at SIGTERM settles, commits and leaves', async () => {
    const topic = await topics().create(3);
    place().write('pipeline.yaml', config(`topics: [${topic}]`).replace('processors', `g-${topic}`));
    const running = place().start(['run', 'pipeline.yaml']);
    const out = (): number => linesOf(place().path('out.ndjson')).length;
    await topics().send(topic, numbered(300));
    await until(
      () => `300 lines, not ${out()}: ${running.stderr()}`,
      () => out() === 300,
    );
    await topics().send(topic, numbered(5000, 300));
    running.kill('SIGTERM');
    const { code, stderr } = await within(10_000, 'the end', running.ended);
    expect(code, stderr).toBe(0);
    const committed = await topics().committed(`g-${topic}`, topic);
    expect(committed.reduce((a, b) => a + b)).toBe(out());
    const rest = (await place().once()).summary;
    expect(rest.read).toBe(5300 - committed.reduce((a, b) => a + b));
    expect(new Set(ndjson(place().path('out.ndjson')).map(({ message }) => message)).size).toBe(5300);
    expect(out()).toBe(5300);
  });

  it('joins a group whose last member was killed, however short the patience with connections', async () => {
    const topic = await topics().create(1);
    const short = config(`topics: [${topic}], requestTimeoutMs: 2000`)
      .replace('processors', `g-${topic}`)
      .replace('sessionTimeoutMs: 6000', 'sessionTimeoutMs: 12000');
    place().write('pipeline.yaml', short);
    const out = (): number => linesOf(place().path('out.ndjson')).length;
    const first = place().start(['run', 'pipeline.yaml']);
    await topics().send(
      topic,
      numbered(3).map(({ value }) => ({ value, partition: 0 })),
    );
    await until('3 lines', () => out() === 3);
    first.kill('SIGKILL');
    await first.ended;
    await topics().send(
      topic,
      numbered(3, 3).map(({ value }) => ({ value, partition: 0 })),
    );
    const second = place().start(['run', 'pipeline.yaml']);
    await until(
      () => second.stderr(),
      () => out() === 6,
      25_000,
    );
    expect(second.stderr()).not.toContain('joining again');
  });

  it('a budget far below what is there: pauses, and nothing is lost', async () => {
    const topic = await topics().create(3);
    const long = 'x'.repeat(1000);
    await topics().send(
      topic,
      numbered(30_000).map((message) => ({ ...message, value: `${message.value} ${long}` })),
    );
    place().write('pipeline.yaml', config(`topics: [${topic}]`, 'budgetBytes: 1048576'));
    const { summary, stderr } = await place().once();
    expect(summary, stderr).toMatchObject({ read: 30_000, delivered: 30_000 });
    expect(new Set(linesOf(place().path('out.ndjson'))).size).toBe(30_000);
  });

  it('says in time that nobody answers', async () => {
    place().write(
      'pipeline.yaml',
      config('topics: [any]', 'startDeadlineMs: 1500').replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'),
    );
    const { code, stderr } = await place().once();
    expect([code, stderr]).toEqual([2, expect.stringContaining('MILLRACE_E_FLOW_START_DEADLINE')]);
  });
});
