import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Json, Summary } from './harness.js';
import { exampleConfig, ndjson, peakMegabytes, placeForEachTest, randomOf, until, within } from './harness.js';

const place = placeForEachTest();

const MAX_MB = 300;

/** Everything that is read comes out as it was, so that the counts say it all. */
function rawConfig(options = ''): string {
  return `name: raw
source: { tail: { paths: ["logs/*.log"]${options} } }
checkpoint: { path: data/raw.checkpoint }
routes: [{ to: { file: { path: out/all.ndjson } } }]
deadLetter: { file: { path: out/dead.ndjson } }
`;
}

/** Runs over what is there as a service, then again with --once; what it did, and the most memory it took. */
async function read(records: number, maxMb = MAX_MB): Promise<Summary> {
  const running = place().start(['run', 'pipeline.yaml']);
  const out = (): number =>
    ndjson(place().path('out/all.ndjson')).length + ndjson(place().path('out/dead.ndjson')).length;
  await until(
    () => `${out()} of ${records} records; ${running.stderr()}`,
    () => out() >= records,
    20_000,
  );
  await wait(100);
  expect(out()).toBe(records);
  const megabytes = peakMegabytes(running.pid);
  running.kill('SIGTERM');
  const { code, stderr } = await within(10_000, 'the end', running.ended);
  expect(code, stderr).toBe(0);
  expect(megabytes).toBeLessThan(maxMb);
  console.log(`${records} records, ${Math.round(megabytes)} MB at most`);
  return (await place().once()).summary;
}

function events(): Json[] {
  return ndjson(place().path('out/all.ndjson'));
}

function letters(): Json[] {
  return ndjson(place().path('out/dead.ndjson'));
}

describe('bad input', () => {
  it('20 MB of random bytes: every line, and nothing else', async () => {
    const random = randomOf(7);
    const bytes = Buffer.from(Uint32Array.from({ length: 5_000_000 }, () => random() * 4_294_967_296).buffer);
    const lineEnds = bytes.reduce((count, byte) => count + Number(byte === 10), 0);
    const records = lineEnds + Number(bytes.at(-1) !== 10);
    place().write('logs/junk.log', bytes);
    place().write('pipeline.yaml', rawConfig());
    const once = await place().once();
    expect(once).toMatchObject({ code: 0, summary: { read: records, deadLettered: 0 } });
    const { delivered, filtered } = once.summary;
    expect(delivered + filtered).toBe(records);
  });

  it('a log of random bytes with three fields a line: all of them are dead letters, with their bytes', async () => {
    const random = randomOf(8);
    const lines = Array.from({ length: 2000 }, () =>
      Buffer.from(Array.from({ length: 50 }, () => 11 + Math.floor(random() * 244)).filter((byte) => byte !== 124)),
    );
    place().write('logs/junk.log', Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
    place().write('pipeline.yaml', exampleConfig());
    expect((await place().once()).summary).toMatchObject({ read: 2000, deadLettered: 2000 });
    const originals = letters().map((letter) =>
      Buffer.from(String(letter['event.original_base64']), 'base64').toString('hex'),
    );
    expect(originals.filter((original, at) => original === withoutCr(lines[at]!).toString('hex')).length).toBe(2000);
  });

  it('NUL bytes, CRLF, a byte order mark and invalid UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('\ufeffone\r\nt\0wo\n'),
      Buffer.alloc(20_000),
      Buffer.from('\nfo\xfcr\r\n\xe2\x82\n', 'latin1'),
      Buffer.from('\u{1f600} five\n\u2028six\r\rseven\n'),
    ]);
    place().write('logs/app.log', bytes);
    place().write('pipeline.yaml', rawConfig());
    const once = await read(7);
    expect(once).toMatchObject({ read: 0 });
    expect(events().map(({ message }) => message)).toEqual([
      'one',
      't\0wo',
      '\0'.repeat(20_000),
      'fo\ufffdr',
      '\ufffd',
      '\u{1f600} five',
      '\u2028six\r\rseven',
    ]);
  });

  it('a line of 10 MB: a dead letter with its beginning; the others are not disturbed', async () => {
    place().write('logs/app.log', `before\n${'x'.repeat(10_000_000)}\nafter\n`);
    place().write('pipeline.yaml', rawConfig());
    expect(await read(3)).toMatchObject({ read: 0 });
    expect(events().map(({ message }) => message)).toEqual(['before', 'after']);
    const [letter] = letters();
    expect(letter).toMatchObject({ 'error.code': 'MILLRACE_E_LINE_TOO_LONG', 'log.offset': 7 });
    expect(letter!['error.message']).toContain('10000000');
    expect(String(letter!['event.original'])).toHaveLength(1_048_576);
  });

  it('a line of 10 MB, truncated, that is written slowly', async () => {
    const log = place().write('logs/app.log', 'before\n');
    place().write('pipeline.yaml', rawConfig(', onLongLine: truncate, maxLineBytes: 1000'));
    const running = place().start(['run', 'pipeline.yaml']);
    for (let part = 0; part < 20; part++) {
      place().append(log, 'ü'.repeat(250_000));
      await wait(20);
    }
    place().append(log, '\nafter\n');
    await until(running.stderr, () => events().length >= 3);
    expect(peakMegabytes(running.pid)).toBeLessThan(MAX_MB);
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(events().map(({ message }) => message)).toEqual(['before', 'ü'.repeat(500), 'after']);
    expect(letters()).toEqual([]);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
  });

  it('an empty file, a folder, a FIFO and a broken link with names that match', async () => {
    place().write('logs/empty.log', '');
    mkdirSync(place().path('logs/folder.log'));
    execFileSync('mkfifo', [place().path('logs/fifo.log')]);
    execFileSync('ln', ['-s', 'nowhere', place().path('logs/broken.log')]);
    place().write('logs/real.log', 'here\n');
    place().write('pipeline.yaml', rawConfig());
    expect(await read(1)).toMatchObject({ read: 0 });
    expect(events().map(({ message }) => message)).toEqual(['here']);
  });

  it('a file that becomes a folder, and a folder that becomes a file', async () => {
    const log = place().write('logs/a.log', 'one\n');
    mkdirSync(place().path('logs/b.log'));
    place().write('pipeline.yaml', rawConfig());
    const running = place().start(['run', 'pipeline.yaml']);
    await until('the line', () => events().length === 1);
    place().remove('logs/a.log');
    place().remove('logs/b.log');
    mkdirSync(log);
    place().write('logs/b.log', 'two\n');
    await until(running.stderr, () => events().length === 2);
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it('a file that may not be read is tried again; the others are not disturbed', async (context) => {
    const log = place().write('logs/closed.log', 'later\n');
    if (process.getuid?.() === 0) context.skip('root may read everything');
    chmodSync(log, 0);
    place().write('logs/open.log', 'now\n');
    place().write('pipeline.yaml', rawConfig());
    const running = place().start(['run', 'pipeline.yaml']);
    await until('the line', () => events().length === 1);
    chmodSync(log, 0o600);
    await until(running.stderr, () => events().length === 2);
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it('a file of nothing but line ends: filtered where a parser is, events where none is', async () => {
    place().write('logs/app.log', '\n'.repeat(100_000));
    place().write('pipeline.yaml', exampleConfig());
    expect((await place().once()).summary).toMatchObject({ read: 100_000, filtered: 100_000, deadLettered: 0 });
  });

  it('200 000 lines of one character', async () => {
    place().write('logs/app.log', 'x\n'.repeat(200_000));
    place().write('pipeline.yaml', rawConfig());
    expect(await read(200_000)).toMatchObject({ read: 0 });
    expect(new Set(events().map((event) => event['event.id'])).size).toBe(200_000);
  });

  it('200 000 lines that are all dead letters', async () => {
    place().write('logs/app.log', 'x\n'.repeat(200_000));
    place().write('pipeline.yaml', exampleConfig({ 'out/problems': 'out/all' }));
    // Each holds an error with its stack, which the budget does not know of: 285 MB on Node 20, 332 MB on Node 24.
    expect(await read(200_000, 400)).toMatchObject({ read: 0 });
    expect(letters()).toHaveLength(200_000);
  });
});

function withoutCr(line: Buffer): Buffer {
  return line.at(-1) === 13 ? line.subarray(0, -1) : line;
}
