// Kafka with `transactional: true` beside the same job without it, from files and from a topic, and how many
// transactions a second there are when lines come one by one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { runnerImport } from 'vite';
import { writeInput } from './input.mjs';
import { makeTopic } from './make-topic.mjs';

const PARTITIONS = 4;
const LINES = 250_000;
const ROUNDS = 3;
const TRICKLE_SECONDS = 5;

/** Prints the part `kafka-transactions` of the bench. */
export async function kafkaTransactions({ folder, main, measured, median, millions }) {
  const input = join(folder, 'kafka-transactions.log');
  writeInput(input, LINES);
  const { module } = await runnerImport(new URL('../servers/kafka.ts', import.meta.url).pathname);
  const cluster = await module.startKafka();
  try {
    const bench = new Bench({ folder, input, lines: LINES, main, measured, median, millions }, cluster.brokers);
    await bench.fromFiles();
    await bench.fromTopic();
    await bench.trickle('off');
    await bench.trickle('on');
  } finally {
    await cluster.stop();
  }
}

class Bench {
  #setting;
  #brokers;
  #kafka;
  #names = 0;

  constructor(setting, brokers) {
    this.#setting = setting;
    this.#brokers = JSON.stringify(brokers);
    this.#kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  }

  async #admin(use) {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async #topic() {
    return this.#admin((admin) => makeTopic(admin, `bench-${++this.#names}`, PARTITIONS));
  }

  /** A pipeline with a name of its own. */
  #configuration(source, topic, isTransactional) {
    const { folder } = this.#setting;
    const name = `kafka-${++this.#names}`;
    const path = join(folder, `${name}.yaml`);
    const sink = `brokers: ${this.#brokers}, topic: ${topic}, key: none, format: raw, transactional: ${isTransactional}`;
    writeFileSync(
      path,
      `name: ${name}
source: ${source}
checkpoint: { path: '${folder}/${name}.checkpoint' }
routes: [{ to: { kafka: { ${sink} } } }]
`,
    );
    return { name, path };
  }

  async #compare(what, sourceOf, count) {
    const { measured, median, millions, main } = this.#setting;
    const seconds = { true: [], false: [] };
    let topic = '';
    for (let round = 0; round < ROUNDS; round++) {
      for (const isTransactional of [false, true]) {
        topic = await this.#topic();
        const { path } = this.#configuration(sourceOf(), topic, isTransactional);
        const summary = measured(main, 'run', path, '--once');
        if (summary.delivered !== count) throw new Error(`${summary.delivered} of ${count} were delivered`);
        seconds[isTransactional].push(summary.seconds);
      }
    }
    const ratio = median(seconds[true].map((on, at) => seconds[false][at] / on));
    console.log(`\n${what}: ${count} lines, medians of ${ROUNDS} runs in turn`);
    console.log(`  transactional: false         ${millions(count / median(seconds[false]))}`);
    console.log(`  transactional: true          ${millions(count / median(seconds[true]))}`);
    console.log(`  ratio                        ${(100 * ratio).toFixed(0)} %`);
    return topic;
  }

  #full = '';

  async fromFiles() {
    const { input, lines } = this.#setting;
    this.#full = await this.#compare('file → Kafka', () => `{ tail: { paths: ['${input}'] } }`, lines);
  }

  async fromTopic() {
    const { lines } = this.#setting;
    const source = () =>
      `{ kafka: { brokers: ${this.#brokers}, topics: [${this.#full}], groupId: g${++this.#names} } }`;
    await this.#compare('Kafka → Kafka', source, lines);
  }

  /** A line each millisecond. */
  async trickle(mode) {
    const { folder, main } = this.#setting;
    const path = join(folder, 'trickle.log');
    writeFileSync(path, '');
    const topic = await this.#topic();
    const { name, path: config } = this.#configuration(`{ tail: { paths: ['${path}'] } }`, topic, mode === 'on');
    const child = spawn(process.execPath, [main, 'run', config], { stdio: ['ignore', 'ignore', 'ignore'] });
    await sleep(2000);
    const waits = [];
    const consumer = this.#kafka.consumer({ groupId: `trickle-${name}`, maxWaitTimeInMs: 5 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const now = performance.now();
        for (const { value } of batch.messages) waits.push(now - Number(value.toString()));
      },
    });
    await sleep(3000);
    const before = await this.#transactions(name);
    const startedAt = performance.now();
    let written = 0;
    while (performance.now() - startedAt < TRICKLE_SECONDS * 1000) {
      const due = Math.floor(performance.now() - startedAt);
      for (; written < due; written++) appendFileSync(path, `${performance.now()}\n`);
      await sleep(1);
    }
    for (let tries = 0; tries < 100 && waits.length < written; tries++) await sleep(50);
    const count = (await this.#transactions(name)) - before;
    child.kill('SIGTERM');
    await once(child, 'exit');
    await consumer.disconnect();
    rmSync(path);
    if (waits.length !== written) throw new Error(`${waits.length} of ${written} lines came`);
    waits.sort((a, b) => a - b);
    const at = (share) => `${waits[Math.floor(waits.length * share)].toFixed(0)} ms`;
    console.log(`\nline appended → read as committed, 1000 lines/s for ${TRICKLE_SECONDS} s, transactional ${mode}:`);
    console.log(`  p50 ${at(0.5)}, p99 ${at(0.99)}`);
    if (mode === 'on') console.log(`  transactions a second        ${(count / TRICKLE_SECONDS).toFixed(0)}`);
  }

  /** Each has a marker in the pipeline's state topic, which the client does not hand out. */
  async #transactions(pipeline) {
    const topic = `millrace-state-${pipeline}`;
    const ends = await this.#admin((admin) => admin.fetchTopicOffsets(topic)).catch(() => undefined);
    if (ends === undefined) return 0;
    const end = Number(ends[0].high);
    let messages = 0;
    let next = 0;
    const consumer = this.#kafka.consumer({ groupId: `count-${++this.#names}`, maxWaitTimeInMs: 5 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        messages += batch.messages.filter(({ offset }) => Number(offset) < end).length;
        next = Number(batch.lastOffset()) + 1;
      },
    });
    for (let tries = 0; tries < 200 && next < end; tries++) await sleep(20);
    await consumer.disconnect();
    return end - messages;
  }
}
