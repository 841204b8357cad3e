import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ElasticsearchProxy } from '../servers/elasticsearch-proxy.js';
import type { Fault } from '../servers/elasticsearch-proxy.js';
import { describeOnElasticsearch, elasticsearchForThisBlock } from '../servers/on-servers.js';
import { ndjson, placeForEachTest, until, within } from './harness.js';
import type { Place } from './harness.js';
import { expectEachOnce, Indices } from './indices.js';

const place = placeForEachTest();

function lineOf(n: number): string {
  const time = new Date(Date.UTC(2026, 10, 22, 23, 59, 0) + n * 10).toISOString();
  return `${time}|${n % 2 === 0 ? 'ERROR' : 'WARN'}|event ${n}\n`;
}

function linesFrom(first: number, count: number): string {
  return Array.from({ length: count }, (_, at) => lineOf(first + at)).join('');
}

function configured(at: Place, node: string, index: string, more = ''): void {
  at.write(
    'pipeline.yaml',
    `name: es
source: { tail: { paths: ["*.log"] } }
stages:
  - parse: { format: delimited, separator: "|", fields: [time, level, message] }
  - normalize: {}
routes:
  - to: { elasticsearch: { nodes: ["${node}"], index: "${index}"${more} } }
`,
  );
}

describeOnElasticsearch()('the elasticsearch sink, on a real node', { timeout: 180_000 }, () => {
  const node = elasticsearchForThisBlock();

  it('indexes each event once, by date, with the ECS mapping; a second run finds them all there', async () => {
    const { url } = node();
    configured(place(), url, 'plain-{@timestamp:yyyy.MM.dd}');
    place().write('a.log', linesFrom(0, 20_000));
    const { summary } = await place().once();
    expect(summary).toMatchObject({ read: 20_000, delivered: 20_000, duplicates: 0, deadLettered: 0 });
    expectEachOnce(await new Indices(url).messages('plain-*'), 20_000);
    const mapping = JSON.stringify(await (await fetch(`${url}/plain-2026.11.22/_mapping`)).json());
    expect(mapping).toContain('"@timestamp":{"type":"date"}');
    expect(mapping).toContain('"level":{"type":"keyword","ignore_above":1024}');
    expect(await new Indices(url).names('plain-*')).toEqual(['plain-2026.11.22', 'plain-2026.11.23']);
  });

  it('the same lines read again after a crash are duplicates', async () => {
    const { url } = node();
    configured(place(), url, 'again');
    place().write('a.log', linesFrom(0, 3000));
    const first = place().start(['run', 'pipeline.yaml']);
    // Killed before the next checkpoint knows of what was delivered: the file's incarnation is saved, its position is not.
    await new Indices(url).fill('again', 3000);
    first.kill('SIGKILL');
    await first.ended;
    const { summary } = await place().once();
    expect(summary.delivered).toBe(0);
    expect(summary.duplicates).toBe(summary.read);
    expectEachOnce(await new Indices(url).messages('again'), 3000);
  });

  it('a poison document among 100 000 is a dead letter with the reason; all others arrive', async () => {
    const { url } = node();
    configured(place(), url, 'poison');
    await new Indices(url).putTemplate('poison', {
      index_patterns: ['poison'],
      priority: 900,
      template: {
        mappings: {
          properties: { message: { type: 'keyword', ignore_above: 40_000 }, 'event.id': { type: 'keyword' } },
        },
      },
    });
    // Lucene takes no term of more than 32 766 bytes.
    const poison = `2026-11-23T00:00:00.000Z|ERROR|${'p'.repeat(35_000)}\n`;
    place().write('a.log', linesFrom(0, 61_234) + poison + linesFrom(61_234, 38_766));
    const { summary } = await place().once();
    expect(summary).toMatchObject({ read: 100_001, delivered: 100_000, deadLettered: 1, duplicates: 0 });
    const [dead] = ndjson(place().path('data/es.dead.ndjson'));
    expect(dead).toMatchObject({
      'error.code': 'MILLRACE_E_ELASTICSEARCH_REFUSED',
      'log.file.path': place().path('a.log'),
    });
    expect(dead?.['error.message']).toContain('immense term');
    expect(dead?.['event.original']).toBe(poison.trimEnd());
  });

  it.each<Fault>([
    { kind: 'down' },
    { kind: 'answerLost' },
    { kind: 'slow', ms: 400 },
    { kind: 'busy', everyNth: 3 },
    { kind: 'denied' },
    { kind: 'narrow', maxBytes: 2000 },
    { kind: 'swallow' },
  ])('$kind for a while, under load: nothing is lost, nothing twice', async (fault) => {
    const index = `fault-${fault.kind.toLowerCase()}`;
    const proxy = await ElasticsearchProxy.start(node().url);
    try {
      configured(place(), proxy.url, index, ', requestTimeoutMs: 1000');
      const log = place().write('a.log', linesFrom(0, 1000));
      const running = place().start(['run', 'pipeline.yaml']);
      await until('the first lines are on their way', () => proxy.requests > 1);
      let written = 1000;
      const writeOn = async (ms: number): Promise<void> => {
        const end = performance.now() + ms;
        while (performance.now() < end) {
          place().append(log, linesFrom(written, 20));
          written += 20;
          await wait(20);
        }
      };
      await writeOn(500);
      proxy.fault = fault;
      await writeOn(3000);
      proxy.fault = { kind: 'none' };
      await writeOn(500);
      await new Indices(node().url).fill(index, written);
      running.kill('SIGTERM');
      const { code, stderr } = await within(30_000, 'the end', running.ended);
      expect(code, stderr).toBe(0);
      expectEachOnce(await new Indices(node().url).messages(index), written);
      expect(proxy.faults).toBeGreaterThan(0);
    } finally {
      await proxy.stop();
    }
  });

  it('SIGTERM while the cluster is away: nothing is acknowledged, the next start delivers it', async () => {
    const proxy = await ElasticsearchProxy.start(node().url);
    try {
      configured(place(), proxy.url, 'away');
      const log = place().write('a.log', linesFrom(0, 500));
      place().append(place().path('pipeline.yaml'), 'drainDeadlineMs: 1000\n');
      const running = place().start(['run', 'pipeline.yaml']);
      await until('the first lines are there', () => proxy.requests > 1);
      proxy.fault = { kind: 'down' };
      place().append(log, linesFrom(500, 500));
      await until('it met the fault', () => proxy.faults > 0);
      running.kill('SIGTERM');
      const { code, stderr } = await within(10_000, 'the end', running.ended);
      expect(code, stderr).toBe(3);
      proxy.fault = { kind: 'none' };
      const { summary } = await place().once();
      expect(summary.delivered + summary.duplicates).toBe(summary.read);
      expectEachOnce(await new Indices(node().url).messages('away'), 1000);
    } finally {
      await proxy.stop();
    }
  });
});

describe('the elasticsearch sink, without a cluster', () => {
  it('--once ends with exit code 2 when it cannot be reached in time', async () => {
    configured(place(), 'http://127.0.0.1:9', 'none');
    place().write('a.log', linesFrom(0, 1));
    const config = place().path('pipeline.yaml');
    place().append(config, 'startDeadlineMs: 500\n');
    const { code, stderr } = await place().run(['run', 'pipeline.yaml', '--once']);
    expect(code).toBe(2);
    expect(stderr).toContain('MILLRACE_E_ELASTICSEARCH_UNREACHABLE');
  });
});
