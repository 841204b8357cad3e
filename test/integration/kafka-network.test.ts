import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startKafka } from '../servers/kafka.js';
import type { Kafka } from '../servers/kafka.js';
import { describeOnKafka } from '../servers/on-servers.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { linesOf, placeForEachTest, until, within } from './harness.js';
import { Chain, expectEachLine } from './kafka-chain.js';
import { Topics, USUAL_CLIENTS } from './kafka-topics.js';
import { OffsetWatch } from './offset-watch.js';
import { patience, rounds } from './rounds.js';

const place = placeForEachTest();

describeOnKafka().each(USUAL_CLIENTS)('a network before Kafka, by %s, that', (client) => {
  let proxy: TcpProxy;
  let kafka: Kafka;
  beforeAll(async () => {
    proxy = await TcpProxy.start();
    kafka = await startKafka({ external: 'PLAINTEXT', advertised: [proxy.address] });
    proxy.target = kafka.external[0]!;
  }, 300_000);
  afterAll(async () => {
    await kafka.stop();
    await proxy.stop();
  });

  afterEach(() => {
    proxy.fault = { kind: 'none' };
    proxy.cut();
  });

  const topics = (): Topics => new Topics(kafka.brokers);
  const lines = (count: number, from = 0): string =>
    Array.from({ length: count }, (_, n) => `line ${from + n}\n`).join('');

  it(
    'delays, cuts in the middle of a request, refuses and swallows, under load: every line arrives',
    patience(1),
    async () => {
      const source = ', silenceMs: 3000';
      const chain = await Chain.start({ place: place(), topics: topics(), brokers: [proxy.address], client, source });
      const turns = rounds(1);
      const before = proxy.faults;
      for (let turn = 0; turn < turns; turn++) {
        proxy.fault = { kind: 'delay', ms: 300 };
        await chain.progress();
        proxy.fault = { kind: 'none' };
        proxy.cutInRequest(200);
        await wait(500);
        proxy.cut();
        await chain.progress();
        proxy.fault = { kind: 'refuse' };
        proxy.cut();
        await wait(2000);
        proxy.fault = { kind: 'none' };
        await chain.progress();
        proxy.fault = { kind: 'swallow' };
        await wait(6000);
        proxy.fault = { kind: 'none' };
        await chain.progress();
      }
      expect(chain.logs).toContain('MILLRACE_E_KAFKA_SILENT');
      await chain.end(
        `four faults of the network, ${turns} times each, ${proxy.faults - before} pieces and connections`,
      );
    },
  );

  it('is cut again and again in runs that end: the ledger is exact, and a file has each line once', async () => {
    const topic = await topics().create(4);
    const count = 30_000;
    const all = `client: ${client}, brokers: ["${proxy.address}"]`;
    place().write('a.log', lines(count));
    place().write(
      'to.yaml',
      `source: { tail: { paths: ["a.log"], from: beginning } }
checkpoint: { path: data/to.checkpoint }
routes:
  - to: { kafka: { ${all}, topic: ${topic}, format: raw, key: none } }
`,
    );
    place().write(
      'from.yaml',
      `source: { kafka: { ${all}, topics: [${topic}], groupId: g-${topic}, sessionTimeoutMs: 6000 } }
checkpoint: { path: data/from.checkpoint, everyMs: 50 }
routes:
  - to: { file: { path: out.txt, format: raw } }
`,
    );
    for (const config of ['to.yaml', 'from.yaml']) {
      const before = proxy.connections;
      proxy.fault = { kind: 'delay', ms: 30 };
      let cuts = 0;
      const cutting = setInterval(() => {
        if (cuts++ < 8 * rounds(1)) proxy.cut();
      }, 700);
      const { code, summary, stderr } = await place().once(config);
      clearInterval(cutting);
      proxy.fault = { kind: 'none' };
      const { read, delivered, duplicates } = summary;
      console.log(`${config}: ${cuts} cuts, ${proxy.connections - before} connections, read ${read}`);
      expect([code, read], stderr).toEqual([0, delivered + duplicates]);
      if (config === 'to.yaml') expect(delivered).toBe(count);
      expect(cuts).toBeGreaterThan(1);
    }
    // What a member held that was lost while it joined is left to the next run.
    for (let more = 1; more > 0;) {
      const { code, summary, stderr } = await place().once('from.yaml');
      expect(code, stderr).toBe(0);
      more = summary.read;
    }
    expectEachLine(await topics().readAll(topic), count);
    const out = linesOf(place().path('out.txt'));
    expect(new Set(out).size).toBe(count);
    // What came twice into the topic has two offsets: a file knows only those.
    expect(out).toHaveLength(await topics().size(topic));
    expect((await topics().committed(`g-${topic}`, topic)).reduce((a, b) => a + b)).toBe(await topics().size(topic));
  });

  it('swallows everything: the watchdog makes the consumer anew, and says so', async () => {
    const topic = await topics().create(1);
    place().write(
      'pipeline.yaml',
      `source:
  kafka: { client: ${client}, brokers: ["${proxy.address}"], groupId: g-${topic}, topics: [${topic}], silenceMs: 2000, sessionTimeoutMs: 6000 }
routes:
  - to: { file: { path: out.ndjson } }
`,
    );
    const running = place().start(['run', 'pipeline.yaml']);
    const out = (): number => linesOf(place().path('out.ndjson')).length;
    await topics().send(topic, [{ value: 'before' }]);
    await until('the first is there', () => out() === 1, 30_000);
    proxy.fault = { kind: 'swallow' };
    await until(
      () => `told: ${running.stderr()}`,
      () => running.stderr().includes('MILLRACE_E_KAFKA_SILENT'),
    );
    await topics().send(topic, [{ value: 'meanwhile' }]);
    proxy.fault = { kind: 'none' };
    await until(
      () => `two lines, not ${out()}: ${running.stderr()}`,
      () => linesOf(place().path('out.ndjson')).some((line) => line.includes('meanwhile')),
      60_000,
    );
    running.kill('SIGTERM');
    expect((await within(20_000, 'the end', running.ended)).code, running.stderr()).toBe(0);
    expect(await topics().committed(`g-${topic}`, topic)).toEqual([2]);
  });

  it('is away at SIGTERM: ends within drainDeadlineMs, and nothing is acknowledged that was not delivered', async () => {
    const to = await topics().create(1);
    place().write(
      'collector.yaml',
      `drainDeadlineMs: 3000
source: { tail: { paths: ["*.log"], from: beginning } }
checkpoint: { path: data/c.checkpoint, everyMs: 50 }
routes:
  - to: { kafka: { client: ${client}, brokers: ["${proxy.address}"], topic: ${to}, format: raw } }
`,
    );
    place().write('a.log', '');
    let count = 0;
    const add = (more: number): void => {
      place().append(place().path('a.log'), lines(more, count));
      count += more;
    };
    for (const fault of ['refuse', 'swallow'] as const) {
      const running = place().start(['run', 'collector.yaml']);
      add(100);
      for (let tries = 0; tries < 300 && (await topics().size(to)) < count; tries++) await wait(100);
      // Until the checkpoint knows of it.
      await wait(1500);
      proxy.fault = { kind: fault };
      if (fault === 'refuse') proxy.cut();
      add(100);
      await wait(2000);
      running.kill('SIGTERM');
      const stoppedAt = performance.now();
      const { code, stderr } = await within(20_000, 'the end', running.ended);
      const ms = performance.now() - stoppedAt;
      console.log(`SIGTERM while the network would ${fault}: exit code ${code} after ${Math.round(ms)} ms`);
      expect(code, stderr).toBe(3);
      expect(stderr).toContain('MILLRACE_E_FLOW_DRAIN_INCOMPLETE');
      expect(ms).toBeLessThan(3000 + 1500);
      proxy.fault = { kind: 'none' };
      const { summary } = await place().once('collector.yaml');
      expect(summary).toMatchObject({ read: 100, delivered: 100, deadLettered: 0, duplicates: 0 });
      expectEachLine(await topics().readAll(to), count);
    }
  });

  it('swallows the goodbye at SIGTERM: what is committed is committed, and the process ends', async () => {
    const topic = await topics().create(1);
    place().write(
      'pipeline.yaml',
      `source: { kafka: { client: ${client}, brokers: ["${proxy.address}"], groupId: g-${topic}, topics: [${topic}], sessionTimeoutMs: 6000 } }
checkpoint: { path: data/p.checkpoint, everyMs: 50 }
routes:
  - to: { file: { path: out.ndjson } }
`,
    );
    const running = place().start(['run', 'pipeline.yaml']);
    await topics().send(topic, [{ value: 'a' }]);
    const committed = (): Promise<number[]> => topics().committed(`g-${topic}`, topic);
    for (let tries = 0; tries < 150 && (await committed())[0] !== 1; tries++) await wait(200);
    proxy.fault = { kind: 'swallow' };
    await wait(500);
    running.kill('SIGTERM');
    const { code, stderr } = await within(10_000, 'the end', running.ended);
    expect(code, stderr).toBe(0);
    expect(await committed()).toEqual([1]);
    expect(linesOf(place().path('out.ndjson'))).toHaveLength(1);
  });

  it('holds a batch while the group is divided anew: whoever owns the lane then delivers it', async () => {
    const [from, to] = [await topics().create(2), await topics().create(1)];
    const config = (name: string, sink: string): void =>
      void place().write(
        `${name}.yaml`,
        `name: ${name}
source:
  kafka: { brokers: ["${kafka.brokers[0]!}"], groupId: g-${from}, topics: [${from}], sessionTimeoutMs: 6000 }
checkpoint: { path: data/${name}.checkpoint, everyMs: 50 }
routes:
  - to: { kafka: { brokers: ["${sink}"], requestTimeoutMs: 3000, topic: ${to}, format: raw } }
`,
      );
    config('held', proxy.address);
    config('free', kafka.brokers[0]!);
    const send = (first: number, count: number): Promise<void> =>
      topics().send(
        from,
        Array.from({ length: count }, (_, n) => ({
          value: `line ${first + n}`,
          partition: n % 2,
          headers: { 'millrace-id': `l:${first + n}` },
        })),
      );
    const watch = new OffsetWatch(topics(), `g-${from}`, from);
    const held = place().start(['run', 'held.yaml']);
    await send(0, 100);
    await until('it works', () => watch.sum === 100, 30_000);
    proxy.fault = { kind: 'swallow' };
    await send(100, 100);
    await wait(1500);
    expect(watch.sum).toBe(100);
    const free = place().start(['run', 'free.yaml']);
    const arrived = async (): Promise<number> => new Set((await topics().readAll(to)).map(({ value }) => value)).size;
    for (let tries = 0; tries < 100 && (await arrived()) < 150; tries++) await wait(200);
    // One lane is the other's now; ours is held still.
    expect(await arrived(), free.stderr()).toBe(150);
    expect(watch.sum).toBe(150);
    proxy.fault = { kind: 'none' };
    await until(
      () => `${watch.sum} of 200\n${held.stderr()}`,
      () => watch.sum === 200,
      60_000,
    );
    for (const running of [held, free]) running.kill('SIGTERM');
    const codes = (await Promise.all([held.ended, free.ended])).map(({ code }) => code);
    await watch.end();
    expect(codes, held.stderr()).toEqual([0, 0]);
    const read = await topics().readAll(to);
    console.log(`a batch open at a revoke: ${read.length - 200} of 200 came twice`);
    expectEachLine(read, 200);
    expect(watch.stepsBack).toEqual([]);
  });
});
