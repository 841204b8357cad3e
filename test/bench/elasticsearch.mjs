// The Elasticsearch sink beside the bare client, on a real node: how many documents a second, and how soon one is there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';
import { templateFor } from '../../dist/sinks/elasticsearch/template.js';
import { writeInput } from './input.mjs';

const bare = fileURLToPath(new URL('bare-bulk.mjs', import.meta.url));
const LINES = 200_000;
const ROUNDS = 3;
const LATENCY_SECONDS = 10;

/** Prints the part `elasticsearch` of the bench. `measured`: runs a script to its end. */
export async function elasticsearch(bench) {
  const { module } = await runnerImport(fileURLToPath(new URL('../servers/elasticsearch.ts', import.meta.url)));
  const node = await module.startElasticsearch();
  try {
    await throughput(node.url, bench);
    await latency(node.url, bench);
  } finally {
    await node.stop();
  }
}

function configuration({ folder }, name, paths, to) {
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
  - to: ${to}
`,
  );
  return path;
}

const sinkAt = (url, index) => `{ elasticsearch: { nodes: ['${url}'], index: '${index}' } }`;

async function countOf(url, index) {
  await fetch(`${url}/${index}/_refresh`, { method: 'POST' });
  return (await (await fetch(`${url}/${index}/_count`)).json()).count;
}

/** Both get the mapping that millrace installs. */
async function putTemplate(url, index) {
  const { name, body } = templateFor(index);
  await fetch(`${url}/_index_template/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function throughput(url, bench) {
  const { folder, main, measured, median, megabytes } = bench;
  const input = join(folder, 'documents.log');
  const documents = join(folder, 'documents.ndjson');
  writeInput(input, LINES);
  measured(main, 'run', configuration(bench, 'documents', input, `{ file: { path: '${documents}' } }`), '--once');
  const runs = { bare: [], ours: [] };
  let count = 0;
  const run = async (kind) => {
    const index = `bench-${++count}`;
    await putTemplate(url, index);
    const ours = () => {
      rmSync(join(folder, 'bulk.checkpoint'), { force: true });
      return measured(main, 'run', configuration(bench, 'bulk', input, sinkAt(url, index)), '--once');
    };
    const result = kind === 'ours' ? ours() : measured(bare, url, index, documents);
    if (result.delivered !== LINES || (result.duplicates ?? 0) > 0) throw new Error(JSON.stringify(result));
    const there = await countOf(url, index);
    if (there !== LINES) throw new Error(`${there} documents of ${LINES} in ${index}`);
    await fetch(`${url}/${index}`, { method: 'DELETE' });
    return result;
  };
  // The first ones meet a node that has not compiled its code yet.
  for (const kind of ['bare', 'ours']) await run(kind);
  for (let round = 0; round < ROUNDS; round++) for (const kind of ['bare', 'ours']) runs[kind].push(await run(kind));
  const rate = (kind) => `${Math.round(median(runs[kind].map(({ seconds }) => LINES / seconds)) / 1000)} k documents/s`;
  const ratio = 100 * median(runs.ours.map(({ seconds }, at) => runs.bare[at].seconds / seconds));
  const bytes = Math.round(statSync(documents).size / LINES);
  console.log(
    `\nfile → parse → normalize → Elasticsearch: ${LINES} documents of ${bytes} bytes, none twice; medians of ${ROUNDS} runs in turn, node ${process.version}`,
  );
  console.log(`  bare client.bulk             ${rate('bare')}`);
  console.log(`  millrace                     ${rate('ours')}`);
  console.log(`  ratio                        ${ratio.toFixed(0)} %   asked: at least 60 %`);
  console.log(`  memory, most                 ${megabytes(Math.max(...runs.ours.map(({ rssBytes }) => rssBytes)))}`);
}

/** Hears when the node has answered a bulk request, and passes everything on. */
async function between(url, onAnswered) {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((asked, answer) => {
    const chunks = [];
    asked.on('data', (chunk) => chunks.push(chunk));
    asked.on('end', () => {
      const arrivedAt = performance.now();
      const body = Buffer.concat(chunks);
      const { method, headers } = asked;
      const passed = request(url + asked.url, { method, headers, agent }, (answered) => {
        if (asked.url.startsWith('/_bulk')) answered.on('end', () => onAnswered(body, arrivedAt));
        answer.writeHead(answered.statusCode, answered.headers);
        answered.pipe(answer);
      });
      passed.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function latency(url, bench) {
  const path = join(bench.folder, 'soon.log');
  const waits = [];
  const requests = [];
  const server = await between(url, (body, arrivedAt) => {
    const now = performance.now();
    requests.push(now - arrivedAt);
    for (const [, at] of body.toString().matchAll(/"message":"([\d.]+)"/g)) waits.push(now - Number(at));
  });
  writeFileSync(path, '');
  const config = configuration(bench, 'soon', path, sinkAt(`http://127.0.0.1:${server.address().port}`, 'bench-soon'));
  const child = spawn(process.execPath, [bench.main, 'run', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  // The first line makes the index and its mapping.
  appendFileSync(path, `${new Date().toISOString()}|ERROR|${performance.now()}\n`);
  while (waits.length === 0) await sleep(20);
  waits.length = requests.length = 0;
  const startedAt = performance.now();
  const total = LATENCY_SECONDS * 1000;
  let written = 0;
  while (waits.length < total) {
    const due = Math.min(total, Math.floor(performance.now() - startedAt));
    while (written < due) {
      appendFileSync(path, `${new Date().toISOString()}|ERROR|${performance.now()}\n`);
      written++;
    }
    if (performance.now() - startedAt > total + 20_000) throw new Error(`${waits.length} lines of ${total} arrived`);
    await sleep(1);
  }
  child.kill('SIGTERM');
  await once(child, 'exit');
  server.close();
  const at = (times, share) =>
    `${times.toSorted((a, b) => a - b)[Math.floor(times.length * share)].toFixed(1)} ms`.padEnd(9);
  console.log(
    `\nline appended → bulk acknowledged, 1000 lines/s for ${LATENCY_SECONDS} s, ${waits.length} lines in ${requests.length} requests:`,
  );
  const say = (name, share, asked = '') =>
    console.log(`  ${name.padEnd(4)} ${at(waits, share)}  the node alone ${at(requests, share)}${asked}`);
  say('p50', 0.5);
  say('p99', 0.99, '   asked: under 250 ms');
  say('most', 0.99999);
}
