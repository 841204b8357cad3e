import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { committedValues } from '../servers/committed-values.js';
import { describeOnKafka, kafkaForThisBlock } from '../servers/on-servers.js';
import { announcedSeed, ndjson, placeForEachTest, randomOf, until, within } from './harness.js';
import type { Running } from './harness.js';
import { Topics } from './kafka-topics.js';

/** For more: TRANSACTION_KILLS=20. */
const KILLS = Number(process.env['TRANSACTION_KILLS'] ?? '6');
const PARTITIONS = 4;
const LONG_MS = 120_000 + KILLS * 10_000;

const place = placeForEachTest();

/** Text that grows without a pause, until it is enough. */
class Load {
  count = 0;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #writing = Promise.resolve();
  #paused = Promise.resolve();

  constructor(write: (lines: readonly string[]) => Promise<void> | void) {
    this.#done = (async () => {
      while (!this.#ended.signal.aborted) {
        const lines = Array.from({ length: 20 }, (_, n) => `line ${this.count + n}`);
        this.#writing = Promise.resolve(write(lines));
        await this.#writing;
        this.count += lines.length;
        await wait(10);
        await this.#paused;
      }
    })();
  }

  /** Nothing is written meanwhile. */
  async without(what: () => Promise<void>): Promise<void> {
    this.#paused = this.#writing.then(what);
    await this.#paused;
  }

  async end(): Promise<number> {
    this.#ended.abort();
    await this.#done;
    return this.count;
  }
}

describeOnKafka()('transactions', () => {
  const kafka = kafkaForThisBlock();
  const topics = (): Topics => new Topics(kafka().brokers);
  const broker = (): string => kafka().brokers[0]!;
  const random = randomOf(announcedSeed('kafka-transactions.test.ts'));

  const collector = (name: string, to: string, more = ''): string => `name: ${name}
source: { tail: { paths: ["logs/*.log"], from: beginning } }
${more}
routes:
  - name: raw
    to:
      - kafka: { brokers: ["${broker()}"], topic: ${to}, format: raw, key: none, transactional: true }
      - file: { path: out/${name}.ndjson }
`;
  const processor = (name: string, from: string, to: string): string => `name: processor
source:
  kafka: { brokers: ["${broker()}"], groupId: g-${from}, topics: [${from}], sessionTimeoutMs: 2000 }
checkpoint: { path: data/${name}.checkpoint }
routes:
  - name: out
    to:
      kafka: { brokers: ["${broker()}"], topic: ${to}, format: raw, transactional: true }
`;
  const start = (name: string, config: string): Running => {
    place().write(`${name}.yaml`, config);
    return place().start(['run', `${name}.yaml`]);
  };
  /** Waits until every line is there that is read with isolation level read_committed, and says which are. */
  const arrived = async (topic: string, count: number, logs: () => string): Promise<string[]> => {
    let values: string[] = [];
    for (let tries = 0; tries < 60 && values.length < count; tries++) {
      await wait(500);
      values = (await committedValues(kafka().brokers, topic)).flat();
    }
    expect(new Set(values).size, logs()).toBe(count);
    return values;
  };
  const restartBroker = async (): Promise<void> => {
    await kafka().nodes[0]?.kill();
    await wait(1000 * random());
    await kafka().nodes[0]?.start();
  };
  const stop = async (running: Running): Promise<void> => {
    running.kill('SIGTERM');
    const late = wait(20_000).then(() => ({ code: -1, stderr: `not ended in 20 s\n${running.stderr()}` }));
    const { code, stderr } = await Promise.race([running.ended, late]);
    expect(code, stderr).toBe(0);
  };

  it(
    `file → Kafka: a collector that is killed ${KILLS} times, and the broker too: each line once, and in the file beside`,
    { timeout: LONG_MS },
    async () => {
      const to = await topics().create(PARTITIONS);
      const [name, history] = [`c-${to}`, [] as string[]];
      place().mkdir('logs');
      const load = new Load((lines) => place().append(place().path('logs', 'a.log'), `${lines.join('\n')}\n`));
      let running = start(name, collector(name, to));
      for (let kill = 1; kill <= KILLS; kill++) {
        await wait(300 + random() * 1500);
        if (kill === Math.ceil(KILLS / 2)) {
          await restartBroker();
          await wait(3000);
        }
        running.kill('SIGKILL');
        history.push((await running.ended).stderr);
        running = start(name, collector(name, to));
      }
      const count = await load.end();
      const logs = (): string => [...history, running.stderr()].join('\n---\n');
      const values = await arrived(to, count, logs);
      await stop(running);
      console.log(`${count} lines through ${KILLS} kills of the collector and one of the broker`);
      expect(values.length, logs()).toBe(count);
      const beside = ndjson(place().path('out', `${name}.ndjson`)).map(({ message }) => message);
      expect(new Set(beside).size).toBe(count);
      expect(beside.length).toBe(count);
    },
  );

  it(
    `Kafka → Kafka: one of two processors is killed ${KILLS} times, and the broker too: each message once, in order`,
    { timeout: LONG_MS },
    async () => {
      const [from, to] = [await topics().create(PARTITIONS), await topics().create(1)];
      const history: string[] = [];
      // Else what the test sends comes twice when a broker restarts in the middle of a request.
      const producer = topics().client.producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      const load = new Load(async (lines) => {
        const messages = lines.map((value, n) => ({ value, partition: n % PARTITIONS }));
        await producer.send({ topic: from, messages });
      });
      const names = ['one', 'two'] as const;
      const running = names.map((name) => start(name, processor(name, from, to)));
      for (let kill = 1; kill <= KILLS; kill++) {
        await wait(500 + random() * 3500);
        if (kill === Math.ceil(KILLS / 2)) {
          await load.without(restartBroker);
          await wait(3000);
        }
        const which = kill % 2;
        running[which]!.kill('SIGKILL');
        history.push((await running[which]!.ended).stderr);
        running[which] = start(names[which]!, processor(names[which]!, from, to));
      }
      const count = await load.end();
      await producer.disconnect();
      expect(await topics().size(from)).toBe(count);
      const logs = (): string => [...history, ...running.map((each) => each.stderr())].join('\n---\n');
      const values = await arrived(to, count, logs);
      for (const each of running) await stop(each);
      console.log(`${count} messages through ${KILLS} kills of a processor and one of the broker`);
      expect(values.length, logs()).toBe(count);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const numbers = values.map((value) => Number(value.slice(5))).filter((n) => n % PARTITIONS === partition);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }
      const committed = await topics().committed(`g-${from}`, from);
      expect(committed.reduce((sum, offset) => sum + offset, 0)).toBe(count);
    },
  );

  it(
    'a processor that was away while another took over is fenced, says so, and joins again',
    { timeout: LONG_MS },
    async () => {
      const [from, to] = [await topics().create(1), await topics().create(1)];
      const producer = topics().client.producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      const load = new Load(async (lines) => {
        await producer.send({ topic: from, messages: lines.map((value) => ({ value })) });
      });
      const zombie = start('zombie', processor('zombie', from, to));
      const offset = async (): Promise<number> => (await topics().committed(`g-${from}`, from))[0] ?? -1;
      for (let tries = 0; tries < 100 && (await offset()) < 100; tries++) await wait(100);
      zombie.kill('SIGSTOP');
      const other = start('other', processor('other', from, to));
      const before = await offset();
      for (let tries = 0; tries < 100 && (await offset()) < before + 500; tries++) await wait(100);
      zombie.kill('SIGCONT');
      const logs = (): string => `${zombie.stderr()}\n---\n${other.stderr()}`;
      await until(
        () => logs(),
        () => /taken over the transactional id|divided anew|not committed/.test(zombie.stderr()),
        20_000,
      );
      await wait(3000);
      const count = await load.end();
      await producer.disconnect();
      const values = await arrived(to, count, logs);
      for (const each of [zombie, other]) await stop(each);
      expect(values.length, logs()).toBe(count);
      console.log(zombie.stderr());
    },
  );

  it(
    'a collector that was away while another took over is fenced, says so, and ends',
    { timeout: LONG_MS },
    async () => {
      const to = await topics().create(1);
      const name = `c-${to}`;
      place().mkdir('logs');
      const load = new Load((lines) => place().append(place().path('logs', 'a.log'), `${lines.join('\n')}\n`));
      const at = (folder: string): string => `checkpoint: { path: ${folder}/${name}.checkpoint }`;
      const other = `${name}-b`;
      const config = collector(name, to, at('a'));
      const zombie = start('zombie', config);
      for (let tries = 0; tries < 100 && (await topics().size(to)) < 100; tries++) await wait(100);
      zombie.kill('SIGSTOP');
      // The same pipeline, with a checkpoint and a file of its own: as if on another machine.
      const successor = start('other', collector(name, to, at('b')).replace(`out/${name}`, `out/${other}`));
      const before = await topics().size(to);
      for (let tries = 0; tries < 100 && (await topics().size(to)) < before + 500; tries++) await wait(100);
      zombie.kill('SIGCONT');
      const { code, stderr } = await within(20_000, 'the end of the zombie', zombie.ended);
      expect(stderr).toContain('MILLRACE_E_KAFKA_FENCED');
      expect(code).toBe(3);
      const count = await load.end();
      const values = await arrived(to, count, () => `${stderr}\n---\n${successor.stderr()}`);
      await stop(successor);
      expect(values.length).toBe(count);
      console.log(stderr);
    },
  );

  it('reads what is there and ends with --once; what is too large is a dead letter, and nothing is left behind', async () => {
    const [from, to] = [await topics().create(2), await topics().create(1, { 'max.message.bytes': '4096' })];
    const values = Array.from({ length: 2500 }, (_, n) => (n === 1000 ? 'x'.repeat(6000) : `message ${n}`));
    await topics().send(
      from,
      values.map((value, n) => ({ value, partition: n % 2 })),
    );
    place().write('once.yaml', processor('once', from, to));
    const { summary, code, stderr } = await place().once('once.yaml');
    expect(code, stderr).toBe(0);
    expect(summary).toMatchObject({ read: 2500, delivered: 2499, deadLettered: 1, duplicates: 0 });
    const again = await place().once('once.yaml');
    expect(again.summary).toMatchObject({ read: 0, delivered: 0 });
    const read = (await committedValues(kafka().brokers, to)).flat();
    expect(read.sort()).toEqual(values.filter((value) => value.length < 100).sort());
    expect(await topics().committed(`g-${from}`, from)).toEqual([1250, 1250]);
  });
});
