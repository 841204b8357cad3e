import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { announcedSeed, exampleConfig, placeForEachTest, randomOf, until, within } from './harness.js';
import type { Json } from './harness.js';
import { faultsOf, LogWriter, numbersIn } from './log-writer.js';

const place = placeForEachTest();

const KILLS = 12;
const TICK_MS = 10;
const MAX_LINES_A_TICK = 40;
const MAX_BYTES = 16_384;
const FILE_NAME = /^problems\.ndjson(?:\.(\d+)(\.gz)?)?$/;

/** What the sink wrote: rotated files in their order, then the current one. A file that is there twice counts once. */
function written(folder: string): { events: Json[]; faults: string[]; names: string[] } {
  const faults: string[] = [];
  const names = readdirSync(folder).filter((name) => name.startsWith('problems'));
  const found = new Map<number, string>();
  for (const name of names) {
    const match = FILE_NAME.exec(name);
    if (match === null) continue;
    const [, number = 'Infinity', ending] = match;
    const bytes = readFileSync(`${folder}/${name}`);
    const text = (ending === undefined ? bytes : gunzipSync(bytes)).toString();
    const known = found.get(Number(number));
    if (known !== undefined && known !== text) faults.push(`${name} is not what its original says`);
    if (Buffer.byteLength(text) > MAX_BYTES) faults.push(`${name} has ${text.length} bytes`);
    if (text !== '' && !text.endsWith('\n')) faults.push(`${name} ends in a torn line`);
    found.set(Number(number), text);
  }
  const numbers = [...found.keys()].sort((a, b) => a - b);
  numbers.forEach((number, at) => {
    if (number !== Infinity && number !== at + 1) faults.push(`there is no problems.ndjson.${at + 1}`);
  });
  const lines = numbers.flatMap((number) => (found.get(number) ?? '').split('\n').filter((line) => line !== ''));
  return { events: lines.map((line) => JSON.parse(line) as Json), faults, names };
}

describe('kill -9 while the output is rotated and compressed', () => {
  it('every line once over all the files, none torn', async () => {
    const random = randomOf(announcedSeed('kill-rotation.test.ts'));
    const path = (...parts: string[]): string => place().path(...parts);
    const sink = `file: { path: out/problems.ndjson, rotate: { maxBytes: ${MAX_BYTES} }, gzip: true }`;
    const changes = {
      'app-logs.checkpoint }': 'app-logs.checkpoint, everyMs: 200 }',
      'file: { path: out/problems.ndjson }': sink,
    };
    place().write('pipeline.yaml', exampleConfig(changes));
    mkdirSync(path('logs'));
    const writer = new LogWriter('a', path('logs', 'a.log'));
    const enough = new AbortController();
    const writing = (async () => {
      while (!enough.signal.aborted) {
        writer.append(Math.floor(random() * (MAX_LINES_A_TICK + 1)));
        await wait(TICK_MS);
      }
    })();
    const history: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const running = place().start(['run', 'pipeline.yaml']);
      await wait(300 + random() * 700);
      running.kill('SIGKILL');
      const { signal, stderr } = await running.ended;
      expect(signal, stderr).toBe('SIGKILL');
      history.push(stderr, `kill ${kill}: ${existsSync(path('out')) ? readdirSync(path('out')).join(' ') : ''}`);
      // What is there at a cut may be cut off at the start, but is never torn over two files, and a .gz is whole.
      if (existsSync(path('out'))) {
        for (const name of readdirSync(path('out')))
          if (name.endsWith('.gz')) gunzipSync(readFileSync(path('out', name)));
      }
    }
    enough.abort();
    await writing;

    const last = place().start(['run', 'pipeline.yaml']);
    const total = writer.keptNumbers.length;
    await until('all lines are out', () => written(path('out')).events.length >= total, 15_000).catch(() => undefined);
    await wait(300);
    last.kill('SIGTERM');
    const { code, stderr } = await within(10_000, 'the end', last.ended);
    history.push(stderr);
    // Compresses what is left.
    expect((await place().once()).summary).toMatchObject({ read: 0 });

    const { events, faults, names } = written(path('out'));
    const messages = events.map((event) => String(event['message']));
    console.log(`${KILLS} kills, ${writer.count} lines, ${events.length} kept in ${names.length} files`);
    expect(
      [...faults, ...faultsOf('a.log', writer.keptNumbers, numbersIn(messages, writer), true)],
      history.join('\n'),
    ).toEqual([]);
    expect(new Set(events.map((event) => event['event.id'])).size).toBe(events.length);
    expect(names.length).toBeGreaterThan(KILLS);
    // All of them compressed, nothing half done.
    expect(names.filter((name) => !/\.\d+\.gz$/.test(name))).toEqual(['problems.ndjson']);
    expect(statSync(path('out', 'problems.ndjson')).size).toBeLessThanOrEqual(MAX_BYTES);
    expect(code).toBe(0);
    writer.close();
  });
});
