import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { exampleConfig, Lines, placeForEachTest, until, within } from './harness.js';

const place = placeForEachTest();

const LINES = 5000;
const LINES_A_TICK = 10;
const TICK_MS = 10;

describe('latency', () => {
  it('from a line appended to a line in the output, at 1000 lines a second', async () => {
    const log = place().write('logs/app.log', 'now|ERROR|warm -1\n');
    place().write('pipeline.yaml', exampleConfig());
    const running = place().start(['run', 'pipeline.yaml']);
    const out = new Lines(place().path('out/problems.ndjson'));
    await until(running.stderr, () => out.more().length > 0);

    const appendedAt = new Map<number, number>();
    const latencies: number[] = [];
    const look = (): boolean => {
      const now = performance.now();
      for (const line of out.more()) {
        const number = Number(/timed (\d+)/.exec(line)?.[1]);
        latencies.push(now - (appendedAt.get(number) ?? NaN));
      }
      return latencies.length >= LINES;
    };
    const watching = setInterval(look, 1);
    try {
      const began = performance.now();
      for (let next = 0; next < LINES; next += LINES_A_TICK) {
        let text = '';
        for (let n = next; n < next + LINES_A_TICK; n++)
          text += `2026-03-09T10:11:12Z|ERROR|timed ${n} ${'x'.repeat(80)}\n`;
        const now = performance.now();
        for (let n = next; n < next + LINES_A_TICK; n++) appendedAt.set(n, now);
        place().append(log, text);
        await wait(Math.max(0, began + ((next + LINES_A_TICK) / LINES_A_TICK) * TICK_MS - performance.now()));
      }
      await until(() => `${latencies.length} of ${LINES}; ${running.stderr()}`, look);
    } finally {
      clearInterval(watching);
    }
    running.kill('SIGTERM');
    expect(await within(5000, 'the end', running.ended)).toMatchObject({ code: 0 });

    latencies.sort((a, b) => a - b);
    const percentile = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? NaN;
    const [p50, p99, max] = [percentile(0.5), percentile(0.99), percentile(1)];
    console.log(
      `latency of ${LINES} lines: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`,
    );
    expect(latencies).toHaveLength(LINES);
    expect(p50).toBeLessThan(50);
    expect(p99).toBeLessThan(500);
  });

  it('the first line of an empty file comes at once, not at the next look', async () => {
    const log = place().write('app.log', '');
    place().write(
      'pipeline.yaml',
      `name: app
source: { tail: { paths: [app.log], pollMs: 600000 } }
routes: [{ to: { file: { path: out.ndjson } } }]
`,
    );
    const running = place().start(['run', 'pipeline.yaml']);
    const out = new Lines(place().path('out.ndjson'));
    await until(running.stderr, () => existsSync(place().path('data/app.checkpoint')));
    await wait(500);
    place().append(log, 'first\n');
    await until(running.stderr, () => out.more().length > 0);
    running.kill('SIGTERM');
    await within(5000, 'the end', running.ended);
  });
});
