import { mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { announcedSeed, exampleConfig, linesOf, ndjson, placeForEachTest, randomOf, until, within } from './harness.js';
import { faultsOf, LogWriter, numbersIn } from './log-writer.js';

const place = placeForEachTest();

const KILLS = 20;
const TICK_MS = 10;
/** 3 writers × 100 ticks a second × 0 … 20 lines: 3000 lines a second. */
const MAX_LINES_A_TICK = 20;

describe('kill -9', () => {
  it('at random instants, under load and rotation: every line once, none torn', async () => {
    const random = randomOf(announcedSeed('kill.test.ts'));
    const path = (...parts: string[]): string => place().path(...parts);
    place().write('pipeline.yaml', exampleConfig({ 'app-logs.checkpoint }': 'app-logs.checkpoint, everyMs: 200 }' }));
    place().write('out/problems.ndjson', '{"before":true}\n');
    mkdirSync(path('logs'));
    const writers = ['a', 'b', 'c'].map((name) => new LogWriter(name, path('logs', `${name}.log`)));
    // Nobody can read what was rotated away before the log was ever seen.
    for (const writer of writers) writer.append(6);
    await place().once();
    const history: string[] = [];
    const enough = new AbortController();
    const writing = (async () => {
      for (let tick = 0; !enough.signal.aborted; tick++) {
        for (const writer of writers) writer.append(Math.floor(random() * (MAX_LINES_A_TICK + 1)));
        // Each log in turn, now one way, now the other: one rotation every 300 ms.
        if (tick % 30 === 29) {
          const turn = Math.floor(tick / 30);
          const writer = writers[turn % 3]!;
          const isRename = Math.floor(turn / 3) % 2 === 0;
          history.push(`${writer.name}.log ${isRename ? 'renamed' : 'copied and cut'} after line ${writer.count - 1}`);
          if (isRename) writer.renameAndCreate(false);
          else writer.copyAndTruncate(false);
        }
        await wait(TICK_MS);
      }
    })();
    for (let kill = 0; kill < KILLS; kill++) {
      const running = place().start(['run', 'pipeline.yaml']);
      history.push(`start ${kill}`);
      await wait(50 + random() * 1450);
      running.kill('SIGKILL');
      const { signal, stderr } = await running.ended;
      expect(signal, stderr).toBe('SIGKILL');
      history.push(stderr, `kill ${kill}`);
    }
    enough.abort();
    await writing;

    const last = place().start(['run', 'pipeline.yaml']);
    const total = writers.reduce((all, { keptNumbers }) => all + keptNumbers.length, 1);
    const out = (): number => linesOf(path('out/problems.ndjson')).length;
    await until('all lines are out', () => out() >= total, 15_000).catch(() => undefined);
    await wait(300);
    last.kill('SIGTERM');
    const { code, stderr } = await within(10_000, 'the end', last.ended);
    history.push(stderr);

    const [before, ...events] = ndjson(path('out/problems.ndjson'));
    const deadLetters = ndjson(path('out/dead.ndjson'));
    const messages = events.map((event) => String(event['message']));
    const originals = deadLetters.map((letter) => String(letter['event.original']));
    const faults = writers.flatMap((writer) => [
      ...faultsOf(`${writer.name}.log`, writer.keptNumbers, numbersIn(messages, writer), true),
      ...faultsOf(`${writer.name}.log, dead letters`, writer.brokenNumbers, numbersIn(originals, writer), true),
    ]);
    const lines = writers.reduce((all, { count }) => all + count, 0);
    console.log(`${KILLS} kills, ${lines} lines, ${events.length} kept, ${deadLetters.length} dead letters`);
    expect(faults, history.join('\n')).toEqual([]);
    expect(before).toEqual({ before: true });
    expect(new Set(events.map((event) => event['event.id'])).size).toBe(events.length);
    expect(code).toBe(0);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
    for (const writer of writers) writer.close();
  });
});
