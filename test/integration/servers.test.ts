import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import {
  describeOnElasticsearch,
  describeOnKafka,
  elasticsearchForThisBlock,
  kafkaForThisBlock,
} from '../servers/on-servers.js';
import { until } from './harness.js';

function isListening(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((done) => {
    const socket = connect(Number(port), host, () => socket.destroy());
    socket.once('connect', () => done(true)).once('error', () => done(false));
  });
}

describeOnElasticsearch()('the Elasticsearch of the tests', () => {
  const elasticsearch = elasticsearchForThisBlock();

  it('takes a bulk and counts', async () => {
    const { url } = elasticsearch();
    const body = '{"create":{"_id":"a"}}\n{"message":"one"}\n{"create":{"_id":"a"}}\n{"message":"two"}\n';
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${url}/servers-test/_bulk?refresh=true`, { method: 'POST', headers, body });
    const { items } = (await answer.json()) as { items: { create: { status: number } }[] };
    expect(items.map(({ create }) => create.status)).toEqual([201, 409]);
    const count = await (await fetch(`${url}/servers-test/_count`)).json();
    expect(count).toMatchObject({ count: 1 });
  });
});

describeOnKafka()('the Kafka of the tests', () => {
  const kafka = kafkaForThisBlock({ nodes: 3 });

  it('loses a node and gets it back', async () => {
    const { nodes, brokers } = kafka();
    await nodes[1]?.kill();
    expect(await Promise.all(brokers.map(isListening))).toEqual([true, false, true]);
    await nodes[1]?.start();
    expect(await Promise.all(brokers.map(isListening))).toEqual([true, true, true]);
  });

  it('ends, and leaves no folder, when the process that started it is killed', async () => {
    const script = fileURLToPath(new URL('../servers/start-and-wait.mjs', import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until('the server runs', () => said.endsWith('\n'), 60_000);
    const server = Number(said);
    const isOurs = (name: string): boolean => name.startsWith(`millrace-server-${String(child.pid)}-`);
    expect(existsSync(`/proc/${server}`)).toBe(true);
    expect(readdirSync(tmpdir()).filter(isOurs)).toHaveLength(1);
    child.kill('SIGKILL');
    await until('it has ended', () => !existsSync(`/proc/${server}`));
    await until('its folder is gone', () => !readdirSync(tmpdir()).some(isOurs));
  });
});
