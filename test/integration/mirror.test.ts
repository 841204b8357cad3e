import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { linesOf, placeForEachTest, until } from './harness.js';

const place = placeForEachTest();
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A node that takes bulk requests, or hears them and never answers; the messages that it got. */
async function node(answers: boolean): Promise<{ url: string; messages: string[] }> {
  const messages: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const documents = body
        .split('\n')
        .filter((line) => line.startsWith('{"@timestamp"') || line.includes('"message"'));
      for (const document of documents) messages.push((JSON.parse(document) as { message: string }).message);
      if (!answers) return;
      response.setHeader('x-elastic-product', 'Elasticsearch');
      response.setHeader('content-type', 'application/vnd.elasticsearch+json;compatible-with=8');
      response.end(JSON.stringify({ errors: false, items: documents.map(() => ({ create: { status: 201 } })) }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, messages };
}

const config = (url: string, ratio: number): string => `
source: { tail: { paths: [a.log] } }
stages:
  - parse: { format: delimited, separator: '|', fields: [level, message] }
routes:
  - name: kept
    stages:
      - keep: { level: [ERROR] }
    to: { file: { path: out/kept.ndjson } }
    mirror:
      ratio: ${ratio}
      maxBatches: 2
      to: { elasticsearch: { nodes: ['${url}'], index: tried, template: false } }
`;
const COUNT = 50_000;
const text = (from: number, count: number): string =>
  Array.from({ length: count }, (_, n) => `${n % 2 === 0 ? 'ERROR' : 'INFO'}|message ${from + n}\n`).join('');

describe('a mirror', () => {
  it('that never answers slows and changes nothing, and its losses are told', async () => {
    const { url } = await node(false);
    place().write('a.log', text(0, COUNT));
    place().write('pipeline.yaml', config(url, 1));
    const { code, summary, stderr } = await place().once();
    expect(code).toBe(0);
    // Not in the ledger: one leg.
    expect(summary).toMatchObject({ read: COUNT, filtered: COUNT / 2, delivered: COUNT / 2, deadLettered: 0 });
    expect(summary.legs).toBeUndefined();
    expect(summary.seconds).toBeLessThan(10);
    expect(linesOf(place().path('out/kept.ndjson'))).toHaveLength(COUNT / 2);
    const told = stderr.split('\n').filter((line) => line.includes('MILLRACE_E_FLOW_MIRROR_LOST'));
    const notice = JSON.parse(told.at(-1)!) as Record<string, unknown>;
    expect(notice).toMatchObject({ level: 'warn', message: expect.stringContaining('kept/mirror: ') });
    const count = told.map((line) => Number(/mirror: (\d+) events/.exec(line)?.[1])).reduce((sum, n) => sum + n, 0);
    expect(count).toBe(COUNT / 2);
  });

  it('gets its share of what its route gets while the pipeline runs', async () => {
    const { url, messages } = await node(true);
    const log = place().write('a.log', '');
    place().write('pipeline.yaml', config(url, 0.1));
    const running = place().start(['run', 'pipeline.yaml']);
    for (let from = 0; from < COUNT; from += COUNT / 50) {
      place().append(log, text(from, COUNT / 50));
      const kept = (from + COUNT / 50) / 2;
      await until(
        () => `${kept} lines: ${running.stderr()}`,
        () => linesOf(place().path('out/kept.ndjson')).length >= kept,
      );
    }
    await until(
      () => `mirrored: ${messages.length}`,
      () => messages.length > COUNT / 2 / 20,
    );
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(messages.length).toBeGreaterThan(0.08 * (COUNT / 2));
    expect(messages.length).toBeLessThan(0.12 * (COUNT / 2));
    expect(new Set(messages).size).toBe(messages.length);
    expect(messages.every((message) => Number(message.slice('message '.length)) % 2 === 0)).toBe(true);
  });
});
