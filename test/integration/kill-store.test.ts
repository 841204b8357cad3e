import { mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { announcedSeed, exampleConfig, placeForEachTest, randomOf, within } from './harness.js';
import { faultsOf, LogWriter, numbersIn } from './log-writer.js';
import { patience, rounds } from './rounds.js';
import { ask } from './stored.js';

const place = placeForEachTest();

const KILLS = rounds(6);
/** Each log in turn: one rotation every 300 ms. */
const ROTATION_TICKS = 30;
const TICK_MS = 10;
const MAX_LINES_A_TICK = 40;

describe('kill -9 of the store', patience(6), () => {
  it('at random instants, under load and rotation: every kept line is in the store once', async () => {
    const random = randomOf(announcedSeed('kill-store.test.ts'));
    place().write(
      'pipeline.yaml',
      exampleConfig({
        'app-logs.checkpoint }': 'app-logs.checkpoint, everyMs: 200 }',
        'file: { path: out/problems.ndjson }': 'duckdb: { path: data/store.duckdb }',
      }),
    );
    mkdirSync(place().path('logs'));
    const writers = ['a', 'b', 'c'].map((name) => new LogWriter(name, place().path('logs', `${name}.log`)));
    // Nobody can find what was rotated away before the log was ever seen.
    for (const writer of writers) writer.append(6);
    await place().once();
    const enough = new AbortController();
    const writing = (async () => {
      for (let tick = 1; !enough.signal.aborted; tick++) {
        for (const writer of writers) writer.append(Math.floor(random() * (MAX_LINES_A_TICK + 1)));
        if (tick % ROTATION_TICKS === 0) writers[(tick / ROTATION_TICKS) % writers.length]?.renameAndCreate(false);
        await wait(TICK_MS);
      }
    })();
    const history: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const running = place().start(['run', 'pipeline.yaml']);
      await wait(300 + random() * 1200);
      running.kill('SIGKILL');
      const { signal, stderr } = await running.ended;
      expect(signal, stderr).toBe('SIGKILL');
      history.push(stderr);
    }
    enough.abort();
    await writing;
    const { code, stderr } = await within(60_000, 'the rest', place().once());
    expect(code, stderr).toBe(0);
    const rows = await ask(
      place().path('data/store.duckdb'),
      'SELECT "event.id" AS id, message FROM events ORDER BY rowid',
    );
    const messages = rows.map(({ message }) => String(message));
    const faults = writers.flatMap((writer) =>
      faultsOf(`${writer.name}.log`, writer.keptNumbers, numbersIn(messages, writer), true),
    );
    console.log(`${KILLS} kills, ${rows.length} rows`);
    expect(faults, history.join('\n')).toEqual([]);
    expect(rows.length).toBeGreaterThan(100);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    for (const writer of writers) writer.close();
  });
});
