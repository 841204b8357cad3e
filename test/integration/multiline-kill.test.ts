import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { announcedSeed, linesOf, ndjson, placeForEachTest, randomOf, until, within } from './harness.js';

const place = placeForEachTest();

const KILLS = 8;

describe('kill -9 with events of several lines', () => {
  it('every event comes out once, whole', async () => {
    const random = randomOf(announcedSeed('multiline-kill.test.ts'));
    place().write(
      'pipeline.yaml',
      `source: { tail: { paths: ["app.log"], multiline: { continuation: "^ ", flushMs: 4000 } } }
checkpoint: { path: app.checkpoint, everyMs: 100 }
routes: [{ to: { file: { path: out.ndjson } } }]`,
    );
    const log = place().write('app.log', 'event 0\n');
    const wanted = ['event 0'];
    const enough = new AbortController();
    const writing = (async () => {
      for (let event = 1; !enough.signal.aborted; event++) {
        const lines = [`event ${event}`, ...Array.from({ length: Math.floor(random() * 8) }, (_, at) => `  at ${at}`)];
        wanted.push(lines.join('\n'));
        // In two pieces, cut anywhere.
        const text = `${lines.join('\n')}\n`;
        const cut = Math.floor(random() * text.length);
        place().append(log, text.slice(0, cut));
        if (random() < 0.2) await wait(5);
        place().append(log, text.slice(cut));
      }
    })();
    for (let kill = 0; kill < KILLS; kill++) {
      const running = place().start(['run', 'pipeline.yaml']);
      await wait(300 + random() * 700);
      running.kill('SIGKILL');
      await running.ended;
    }
    enough.abort();
    await writing;
    const last = place().start(['run', 'pipeline.yaml']);
    await until('all events', () => linesOf(place().path('out.ndjson')).length >= wanted.length, 20_000);
    await wait(300);
    last.kill('SIGTERM');
    expect((await within(10_000, 'the end', last.ended)).code).toBe(0);
    const events = ndjson(place().path('out.ndjson'));
    console.log(`${KILLS} kills, ${wanted.length} events`);
    expect(events.map((event) => event['message'])).toEqual(wanted);
    expect(new Set(events.map((event) => event['event.id'])).size).toBe(events.length);
  });
});
