import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ElasticsearchProxy } from '../servers/elasticsearch-proxy.js';
import { describeOnElasticsearch, elasticsearchForThisBlock } from '../servers/on-servers.js';
import { placeForEachTest, residentMegabytes, until, within } from './harness.js';
import type { Running } from './harness.js';
import { expectEachOnce, Indices } from './indices.js';

const place = placeForEachTest();
/** `npm run test:outage` takes the two minutes that are promised. */
const DOWN_SECONDS = Number(process.env['OUTAGE_SECONDS'] ?? 4);
const INDEX = 'outage';
/** More than may be between the file and the cluster. */
const BACKLOG = 100_000;
const LINES_A_SECOND = 500;
const MAX_GROWTH_MB = 48;

function linesFrom(first: number, count: number): string {
  const time = (n: number): string => new Date(Date.UTC(2026, 10, 23) + n).toISOString();
  const text = (n: number): string => `${time(n)}|ERROR|event ${n} ${'x'.repeat(80)}\n`;
  return Array.from({ length: count }, (_, at) => text(first + at)).join('');
}

/** Writes on until it is told to end. */
class Writer {
  written = 0;
  readonly #ended = new AbortController();
  readonly #writing: Promise<void>;

  constructor(path: string) {
    this.#append(path, BACKLOG);
    this.#writing = (async () => {
      while (!this.#ended.signal.aborted) {
        await wait(40);
        this.#append(path, LINES_A_SECOND / 25);
      }
    })();
  }

  #append(path: string, count: number): void {
    place().append(path, linesFrom(this.written, count));
    this.written += count;
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#writing;
  }
}

/** What the checkpoint knows to be delivered. */
function savedPosition(): number {
  const path = place().path('data/es.checkpoint');
  if (!existsSync(path)) return 0;
  const { lanes } = JSON.parse(readFileSync(path, 'utf8')) as { lanes: Record<string, { position: number }> };
  return Object.values(lanes).reduce((sum, { position }) => sum + position, 0);
}

describeOnElasticsearch()(
  'Elasticsearch away, then slow, then busy',
  { timeout: 240_000 + DOWN_SECONDS * 4000 },
  () => {
    const node = elasticsearchForThisBlock();

    it(`${DOWN_SECONDS} s each, under load, with SIGTERM during back-off: each line once, position and memory stand still`, async () => {
      const proxy = await ElasticsearchProxy.start(node().url);
      const indices = new Indices(node().url);
      place().write(
        'es.yaml',
        `name: es
drainDeadlineMs: 500
source: { tail: { paths: ["*.log"] } }
checkpoint: { path: data/es.checkpoint, everyMs: 100 }
stages:
  - parse: { format: delimited, separator: "|", fields: [time, level, message] }
  - normalize: {}
routes:
  - to: { elasticsearch: { nodes: ["${proxy.url}"], index: ${INDEX}, requestTimeoutMs: 5000 } }
`,
      );
      const start = (): Running => place().start(['run', 'es.yaml']);
      const writer = new Writer(place().path('a.log'));
      let running = start();
      try {
        await until('the first batch is settled', () => savedPosition() > 0, 60_000);

        proxy.fault = { kind: 'down' };
        await until('what was under way is answered', () => proxy.underWay === 0, 30_000);
        // And saved.
        await wait(2000);
        const position = savedPosition();
        await wait((DOWN_SECONDS * 1000) / 2);
        running.kill('SIGTERM');
        const stopped = await within(10_000, 'the end during back-off', running.ended);
        expect(stopped.code, stopped.stderr).toBe(3);
        expect(savedPosition()).toBe(position);
        running = start();
        // Until it has read what may be under way.
        await wait(4000);
        const memory = residentMegabytes(running.pid);
        await wait((DOWN_SECONDS * 1000) / 2);
        const away = residentMegabytes(running.pid);
        expect(savedPosition()).toBe(position);

        proxy.fault = { kind: 'slow', ms: 400 };
        await wait(DOWN_SECONDS * 1000);
        const slow = residentMegabytes(running.pid);
        proxy.fault = { kind: 'busy', everyNth: 3 };
        await wait(DOWN_SECONDS * 1000);
        const busy = residentMegabytes(running.pid);
        await until('the position moves while the cluster is busy', () => savedPosition() > position, 30_000);
        console.log(`memory at first ${memory}, away ${away}, slow ${slow}, busy ${busy} MB; ${proxy.faults} faults`);
        expect(away - memory).toBeLessThan(MAX_GROWTH_MB);
        expect(Math.max(slow, busy)).toBeLessThan(400);

        await writer.end();
        proxy.fault = { kind: 'none' };
        await indices.fill(INDEX, writer.written, 120_000);
        running.kill('SIGTERM');
        const { code, stderr } = await within(30_000, 'the end', running.ended);
        expect(code, stderr).toBe(0);
        // What is said is little: not a line for each of thousands of deliveries.
        expect(stderr.split('\n').length).toBeLessThan(200);
        expectEachOnce(await indices.messages(INDEX), writer.written);
      } finally {
        await writer.end();
        await proxy.stop();
      }
    });
  },
);
