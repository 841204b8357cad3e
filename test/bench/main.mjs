// npm run bench [-- PART …]: prints what was asked for beside what was measured. Ratios are within
// this run: figures of different runs do not compare.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AGENTS, runAgent, secondsUntil, versionOf } from './agents.mjs';
import { elasticsearch } from './elasticsearch.mjs';
import { lineAt, writeInput } from './input.mjs';
import { kafka } from './kafka.mjs';
import { kafkaTransactions } from './kafka-transactions.mjs';
import { operators } from './operators.mjs';
import { windows } from './windows.mjs';
import { search } from './search.mjs';
import { store } from './store.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const input = join(folder, 'input.log');
const LINES = 2_000_000;

const millions = (perSecond) => `${(perSecond / 1e6).toFixed(2)} M lines/s`;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

function configuration(name, paths, to) {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(
    path,
    `name: ${name}
source: { tail: { paths: ['${paths}'] } }
checkpoint: { path: '${folder}/${name}.checkpoint' }
stages:
  - parse: { format: delimited, separator: '|', fields: [time, level, message] }
  - normalize: {}
routes:
  - name: problems
    stages: [{ keep: { level: [ERROR, WARN] } }]
    to: ${to}
`,
  );
  return path;
}

function clear(name) {
  for (const suffix of ['checkpoint', 'dead.ndjson', 'out']) rmSync(join(folder, `${name}.${suffix}`), { force: true });
}

/** Runs a program to its end; gives its last line as JSON, the whole time and the most memory. */
function measured(script, ...args) {
  const startedAt = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', join(here, 'report-memory.mjs'), script, ...args],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`);
  const wholeSeconds = (performance.now() - startedAt) / 1000;
  const rssBytes = Number(/maxRssBytes=(\d+)/.exec(stderr)?.[1]);
  return { ...JSON.parse(stdout.trim().split('\n').at(-1)), wholeSeconds, rssBytes };
}

/** The tools that do nothing but look at every byte. */
function limit(command, ...args) {
  const startedAt = performance.now();
  const { error } = spawnSync(command, args);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `  ${[command, ...args.slice(0, -1)].join(' ').padEnd(28)} ${error ? 'not there' : millions(LINES / seconds)}`,
  );
}

function throughput() {
  const config = configuration('throughput', input, `{ file: { path: '${folder}/throughput.out' } }`);
  const bare = [];
  const ours = [];
  // In turn, so that a change of the machine's mood hits both.
  for (let round = 0; round < 7; round++) {
    bare.push(measured(join(here, 'bare.mjs'), input, join(folder, 'bare.out')));
    clear('throughput');
    ours.push(measured(main, 'run', config, '--once'));
  }
  for (const { read, delivered } of [...bare, ...ours]) {
    if (read !== LINES || delivered !== bare[0].delivered) throw new Error('not the same work was done');
  }
  const ratio = (key) => median(ours.map((our, at) => bare[at][key] / our[key]));
  const rate = (runs, key) => millions(median(runs.map((run) => LINES / run[key])));
  console.log(
    `\nfile → parse → normalize → keep → file: ${LINES} lines of ${Math.round(statSync(input).size / LINES)} bytes, ${Math.round((100 * bare[0].delivered) / LINES)} % kept; medians of 7 runs in turn, node ${process.version}`,
  );
  console.log(`  bare loop                    ${rate(bare, 'seconds')}  (whole process ${rate(bare, 'wholeSeconds')})`);
  console.log(`  millrace                     ${rate(ours, 'seconds')}  (whole process ${rate(ours, 'wholeSeconds')})`);
  console.log(
    `  ratio                        ${(100 * ratio('seconds')).toFixed(0)} %  (whole process ${(100 * ratio('wholeSeconds')).toFixed(0)} %)   asked: at least 55 %`,
  );
  console.log(
    `  memory, most                 ${megabytes(Math.max(...ours.map(({ rssBytes }) => rssBytes)))}   asked: under 200 MB`,
  );
  console.log('the limit, without doing anything with the lines:');
  limit('wc', '-l', input);
  limit('grep', '-c', 'ERROR', input);
}

function rssOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function blocked() {
  const seconds = Number(process.env.BLOCKED_SECONDS ?? 60);
  const config = configuration('blocked', input, '{ console: { format: json } }');
  // Nobody reads its standard output: the pipe fills, and the sink waits.
  const child = spawn(process.execPath, [main, 'run', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  const samples = [];
  for (let second = 0; second < seconds; second++) {
    await sleep(1000);
    samples.push(rssOf(child.pid));
  }
  child.kill('SIGKILL');
  await ended(child);
  const settled = samples.slice(3);
  console.log(`\na sink that takes nothing for ${seconds} s, ${megabytes(statSync(input).size)} waiting to be read:`);
  console.log(
    `  memory after 4 s ${megabytes(settled[0])}, at the end ${megabytes(settled.at(-1))}, most ${megabytes(Math.max(...samples))}   asked: flat`,
  );
}

async function latency() {
  const name = 'latency';
  const path = join(folder, 'latency.log');
  const out = join(folder, `${name}.out`);
  writeFileSync(path, '');
  const config = configuration(name, path, `{ file: { path: '${out}' } }`);
  const child = spawn(process.execPath, [main, 'run', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  while (!existsSync(out)) await sleep(20);
  await sleep(500);
  const file = openSync(out, 'r');
  const buffer = Buffer.alloc(1024 * 1024);
  const waits = [];
  let rest = '';
  const look = () => {
    for (let count; (count = readSync(file, buffer, 0, buffer.length, null)) > 0;) {
      const now = performance.now();
      const lines = (rest + buffer.toString('utf8', 0, count)).split('\n');
      rest = lines.pop();
      for (const line of lines) waits.push(now - Number(JSON.parse(line).message));
    }
  };
  const seconds = 10;
  const startedAt = performance.now();
  let written = 0;
  while (performance.now() - startedAt < seconds * 1000 || waits.length < written) {
    const due = Math.min(seconds * 1000, Math.floor(performance.now() - startedAt));
    while (written < due) {
      appendFileSync(path, `${new Date().toISOString()}|ERROR|${performance.now()}\n`);
      written++;
    }
    look();
    if (performance.now() - startedAt > seconds * 1000 + 10_000) throw new Error('lines are missing');
    await sleep(1);
  }
  child.kill('SIGTERM');
  await ended(child);
  waits.sort((a, b) => a - b);
  const at = (share) => `${waits[Math.floor(waits.length * share)].toFixed(1)} ms`;
  console.log(`\nline appended → in the output file, 1000 lines/s for ${seconds} s, ${waits.length} lines:`);
  console.log(`  p50 ${at(0.5)}   asked: under 10 ms`);
  console.log(`  p99 ${at(0.99)}   asked: under 50 ms`);
  console.log(`  most ${at(0.99999)}`);
}

/** The same job by what else is installed. Everybody is timed alike: from the start until the last line is in the file. */
async function agents() {
  const config = configuration('agents', input, `{ file: { path: '${folder}/agents.out' } }`);
  const { delivered: expected } = measured(join(here, 'bare.mjs'), input, join(folder, 'bare.out'));
  const installed = AGENTS.map((agent) => ({ agent, version: versionOf(agent), seconds: [] }));
  const there = installed.filter(({ version }) => version !== undefined);
  const ours = [];
  for (let round = 0; round < 3; round++) {
    clear('agents');
    ours.push(await secondsUntil(process.execPath, [main, 'run', config], join(folder, 'agents.out'), expected));
    for (const { agent, version, seconds } of there) {
      seconds.push(await runAgent(agent, version, folder, input, expected));
    }
  }
  console.log(
    `\nstart → the last of ${expected} JSON lines in the output file, ${LINES} lines read; medians of 3 runs in turn, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`,
  );
  const say = (name, text) => console.log(`  ${name.padEnd(28)} ${text}`);
  say(`millrace, node ${process.version}`, millions(LINES / median(ours)));
  for (const { agent, version, seconds } of installed) {
    if (version === undefined) say(agent.name, `not there: apt-get install ${agent.package}`);
    else {
      const ratio = median(seconds.map((theirs, at) => theirs / ours[at]));
      say(
        `${agent.name} ${version}`,
        `${millions(LINES / median(seconds))}   millrace is ${ratio.toFixed(1)} times as fast`,
      );
    }
  }
}

// The latency first: the files of the others keep the disk busy for a while.
const parts = {
  latency,
  throughput,
  blocked,
  operators,
  windows,
  agents,
  store: () => store({ folder, input, lines: LINES, main, measured, median, millions, megabytes }),
  search: () => search(folder),
  kafka: () => kafka({ folder, input, lines: LINES, main, measured, median, millions, megabytes }),
  elasticsearch: () => elasticsearch({ folder, main, measured, median, megabytes }),
  'kafka-transactions': () => kafkaTransactions({ folder, main, measured, median, millions }),
};
const withInput = new Set(['throughput', 'blocked', 'agents', 'store', 'kafka']);
const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(parts);
try {
  for (const part of wanted)
    if (!(part in parts)) throw new Error(`no part ${part}: there are ${Object.keys(parts).join(', ')}`);
  console.log(`a line: ${lineAt(7).trim()}`);
  for (const part of wanted) {
    if (withInput.has(part) && !existsSync(input)) writeInput(input, LINES);
    await parts[part]();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
