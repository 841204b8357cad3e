// Kafka on a real broker on this machine, beside bare kafkajs on the same broker in the same run. The broker works on the
// same cores. KAFKA_PARTS=kept,collector,through,latency and KAFKA_ROUNDS: only a part of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import kafkajs from 'kafkajs';
import { runnerImport } from 'vite';
import { writeInput } from './input.mjs';
import { makeTopic } from './make-topic.mjs';

const bareScript = fileURLToPath(new URL('bare-kafka.mjs', import.meta.url));
const ROUNDS = Number(process.env.KAFKA_ROUNDS ?? 3);
/** Fewer where every line is a message. */
const MESSAGES = 200_000;
const PARTITIONS = 6;
const BARE_SIZES = [250, 500, 1000];
const LATENCY_SECONDS = 5;
const OTHER = ', client: platformatic';

/** Prints the part `kafka` of the bench. `measured`: runs a script to its end. */
export async function kafka({ folder, input, lines, main, measured, median, millions, megabytes }) {
  const { module } = await runnerImport(fileURLToPath(new URL('../servers/kafka.ts', import.meta.url)));
  const cluster = await module.startKafka();
  const { Kafka, logLevel } = kafkajs;
  const client = new Kafka({ brokers: cluster.brokers, logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  const [broker] = cluster.brokers;
  const short = join(folder, 'short.log');
  const extra = process.env.KAFKA_OPTIONS ?? '';
  let count = 0;

  const topicOf = async (name) => {
    return makeTopic(admin, `${name}-${++count}`, PARTITIONS);
  };
  const holds = async (topic) =>
    (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  const parse = `
  - parse: { format: delimited, separator: '|', fields: [time, level, message] }
  - normalize: {}`;
  const config = (name, source, stages, keep, sink) => {
    const path = join(folder, `${name}.yaml`);
    rmSync(join(folder, `${name}.checkpoint`), { force: true });
    writeFileSync(
      path,
      `name: ${name}
source: ${source}
checkpoint: { path: '${folder}/${name}.checkpoint' }
stages: ${stages}
routes:
  - name: out
    stages: [${keep ? '{ keep: { level: [ERROR, WARN] } }' : ''}]
    to: { kafka: { brokers: ['${broker}'], ${sink}, ${extra} } }
`,
    );
    return path;
  };
  const tail = (path) => `{ tail: { paths: ['${path}'] } }`;
  const ours = (path) => measured(main, 'run', path, '--once');
  const bare = (...args) => measured(bareScript, args[0], broker, ...args.slice(1));

  const runs = {
    kept: [],
    collector: [],
    otherCollector: [],
    bareCollector: [],
    through: [],
    otherThrough: [],
    bareThrough: [],
  };
  const check = async (result, read, topic) => {
    const there = await holds(topic);
    if (result.read !== read || result.delivered !== there) {
      throw new Error(`${topic}: ${JSON.stringify(result)}, ${read} lines there, ${there} messages in the topic`);
    }
    return result;
  };
  const parts = {
    kept: async () => {
      const topic = await topicOf('kept');
      runs.kept.push(await check(ours(config('kept', tail(input), parse, true, `topic: ${topic}`)), lines, topic));
    },
    collector: async () => {
      const [topic, other, plain] = [await topicOf('raw'), await topicOf('other-raw'), await topicOf('bare-raw')];
      runs.bareCollector.push(await check(bare('produce', short, plain), MESSAGES, plain));
      const run = async (to, more) => {
        const sink = `topic: ${to}, key: log.file.path, format: raw${more}`;
        return check(ours(config('collector', tail(short), '[]', false, sink)), MESSAGES, to);
      };
      runs.collector.push(await run(topic, ''));
      runs.otherCollector.push(await run(other, OTHER));
    },
    through: async () => {
      const names = ['processed', 'other-processed', 'bare-processed'];
      const [topic, other, plain] = [await topicOf(names[0]), await topicOf(names[1]), await topicOf(names[2])];
      runs.bareThrough.push(await check(bare('through', rawLogs, plain), MESSAGES, plain));
      const run = async (to, more) => {
        const source = `{ kafka: { brokers: ['${broker}'], topics: [${rawLogs}], groupId: g-${to}${more}, ${extra} } }`;
        const sink = `topic: ${to}, key: log.level${more}`;
        return check(ours(config('through', source, parse, true, sink)), MESSAGES, to);
      };
      runs.through.push(await run(topic, ''));
      runs.otherThrough.push(await run(other, OTHER));
    },
  };
  /** Which size of request suits bare kafkajs best here; the rounds use that one. */
  const bareSizes = async () => {
    const seconds = new Map();
    for (const size of BARE_SIZES) {
      process.env.BARE_BATCH = String(size);
      seconds.set(size, bare('produce', short, await topicOf(`size-${size}`)).seconds);
    }
    const sorted = [...seconds.keys()].sort((a, b) => seconds.get(a) - seconds.get(b));
    process.env.BARE_BATCH = String(sorted[0]);
    return sorted;
  };
  const rate = (key) => millions(median(runs[key].map(({ read, seconds }) => read / seconds)));
  const ratio = (mine, theirs) =>
    `${(100 * median(runs[mine].map(({ seconds }, at) => runs[theirs][at].seconds / seconds))).toFixed(0)} %`;
  let rawLogs;
  try {
    writeInput(short, MESSAGES);
    // What the processors read: every partition has its part.
    rawLogs = await topicOf('raw-logs');
    const wanted = (process.env.KAFKA_PARTS ?? 'kept,collector,through,latency').split(',');
    if (wanted.includes('through')) ours(config('fill', tail(short), '[]', false, `topic: ${rawLogs}, format: raw`));
    // The first run of all is slower: the broker warms up.
    if (wanted.includes('kept')) await parts.kept().then(() => runs.kept.pop());
    const sizes = wanted.includes('collector') ? await bareSizes() : undefined;
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, run] of Object.entries(parts)) if (wanted.includes(name)) await run();
    }
    console.log(`\nKafka, one broker on this machine; medians of ${ROUNDS} runs in turn, node ${process.version}`);
    const say = (name, text) => console.log(`  ${name.padEnd(34)} ${text}`);
    if (sizes) say('best request of bare kafkajs', `${sizes[0]} messages, of ${BARE_SIZES.join(', ')}`);
    if (runs.kept.length > 0) {
      say(`file → keep 15 % → Kafka`, `${rate('kept')}   asked: at least 0.60 M lines/s`);
      say('memory, most', megabytes(Math.max(...runs.kept.map(({ rssBytes }) => rssBytes))));
    }
    if (runs.collector.length > 0) {
      say('bare kafkajs, every line', rate('bareCollector'));
      say('collector', `${rate('collector')}   ${ratio('collector', 'bareCollector')} of it   asked: at least 80 %`);
      say('collector by platformatic', `${rate('otherCollector')}   ${ratio('otherCollector', 'collector')} of that`);
    }
    if (runs.through.length > 0) {
      say('bare kafkajs, Kafka → Kafka', rate('bareThrough'));
      say('processor', `${rate('through')}   ${ratio('through', 'bareThrough')} of it   asked: at least 60 %`);
      say('processor by platformatic', `${rate('otherThrough')}   ${ratio('otherThrough', 'through')} of that`);
    }
    if (wanted.includes('latency')) {
      const path = join(folder, 'latency-kafka.log');
      writeFileSync(path, '');
      const topic = await topicOf('latency');
      const yaml = config('latency-kafka', tail(path), parse, true, `topic: ${topic}`);
      await latency({ main, client, topic, path, yaml, say });
    }
  } finally {
    await admin.disconnect();
    await cluster.stop();
  }
}

/** From the writing of a line until a consumer has it: more than until its acknowledgement. */
async function latency({ main, client, topic, path, yaml, say }) {
  const child = spawn(process.execPath, [main, 'run', yaml], { stdio: ['ignore', 'ignore', 'inherit'] });
  const consumer = client.consumer({ groupId: `latency-${topic}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const waits = [];
  await consumer.run({
    eachBatch: async ({ batch }) => {
      const now = performance.now();
      for (const { value } of batch.messages) waits.push(now - Number(JSON.parse(value).message));
    },
  });
  const line = () => `${new Date().toISOString()}|ERROR|${performance.now()}\n`;
  appendFileSync(path, line());
  for (let tries = 0; waits.length === 0 && tries < 1000; tries++) await sleep(20);
  waits.length = 0;
  const startedAt = performance.now();
  const total = LATENCY_SECONDS * 1000;
  for (let written = 0; waits.length < total;) {
    const due = Math.min(total, Math.floor(performance.now() - startedAt));
    for (; written < due; written++) appendFileSync(path, line());
    if (performance.now() - startedAt > total + 20_000) throw new Error(`${waits.length} of ${total} lines arrived`);
    await sleep(1);
  }
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await consumer.disconnect();
  waits.sort((a, b) => a - b);
  const at = (share) => `${waits[Math.floor(waits.length * share)].toFixed(1)} ms`;
  say(`line written → read by a consumer`, `p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(0.99999)}, at 1000 lines/s`);
}
