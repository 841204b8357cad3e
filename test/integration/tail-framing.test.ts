import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { linesOf, ndjson, placeForEachTest, until, within } from './harness.js';

const place = placeForEachTest();

function configure(tail: string): void {
  place().write(
    'pipeline.yaml',
    `source: { tail: { ${tail} } }
checkpoint: { path: app.checkpoint, everyMs: 100 }
routes: [{ to: { file: { path: out.ndjson } } }]`,
  );
}

function messages(): string[] {
  return ndjson(place().path('out.ndjson')).map((event) => String(event['message']));
}

function iconv(text: string, to: string): Buffer {
  return execFileSync('iconv', ['-f', 'UTF-8', '-t', to], { input: text });
}

describe('files in other encodings', () => {
  it.each([
    ['utf-16le', 'UTF-16LE', 'größer \u4e0a\u0a4e 😀'],
    ['utf-16be', 'UTF-16BE', 'größer \u4e0a\u0a4e 😀'],
    ['latin1', 'ISO-8859-1', 'größer ÿ'],
    ['gbk', 'GBK', '你好，世界'],
  ])('%s, written in pieces of a few bytes', async (encoding, name, text) => {
    configure(`paths: ["app.log"], encoding: ${encoding}`);
    const lines = Array.from({ length: 50 }, (_, at) => `${at} ${text}`);
    const bytes = iconv(lines.map((line) => `${line}\r\n`).join(''), name);
    const log = place().write('app.log', bytes.subarray(0, 101));
    const running = place().start(['run', 'pipeline.yaml']);
    for (let at = 101; at < bytes.length; at += 77) {
      place().append(log, bytes.subarray(at, at + 77));
      await wait(2);
    }
    await until('all lines', () => messages().length >= lines.length);
    running.kill('SIGTERM');
    expect((await within(10_000, 'the end', running.ended)).code).toBe(0);
    expect(messages()).toEqual(lines);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
  });
});

describe('events of several lines', () => {
  it('of a slow writer are whole, and the last one comes out without another one', async () => {
    configure('paths: ["app.log"], multiline: { start: "^\\\\d", flushMs: 600 }');
    const log = place().write('app.log', '');
    const running = place().start(['run', 'pipeline.yaml']);
    const trace = ['1 Exception', '\tat a', '\tat b', 'Caused by: x', '\tat c'];
    for (const line of trace) {
      place().append(log, line.slice(0, 3));
      await wait(150);
      place().append(log, `${line.slice(3)}\n`);
      await wait(150);
    }
    expect(messages()).toEqual([]);
    await until('the event', () => messages().length > 0, 3000);
    running.kill('SIGTERM');
    await within(10_000, 'the end', running.ended);
    expect(messages()).toEqual([trace.join('\n')]);
  });
});

describe('archives of rotated files', () => {
  it.each(['gzip', ...(process.versions.node.startsWith('20.') ? [] : ['zstd'])])(
    '%s: nothing twice, nothing lost, also while the service is down',
    async (program) => {
      configure('paths: ["logs/*"], pollMs: 100, rotateWaitMs: 200');
      const log = place().write('logs/app.log', '');
      let count = 0;
      const write = (lines: number): void => {
        for (let line = 0; line < lines; line++) place().append(log, `${count++} größer\n`);
      };
      /** As logrotate does it with `compress`. */
      const rotate = (round: number): void => {
        for (let last = round; last > 0; last--) {
          const extension = program === 'gzip' ? 'gz' : 'zst';
          renameSync(`${log}.${last}.${extension}`, `${log}.${last + 1}.${extension}`);
        }
        renameSync(log, `${log}.1`);
        place().write('logs/app.log', '');
        execFileSync(program, program === 'gzip' ? [`${log}.1`] : ['-q', '--rm', `${log}.1`]);
      };
      write(100);
      let running = place().start(['run', 'pipeline.yaml']);
      await until('the first lines', () => linesOf(place().path('out.ndjson')).length >= 100);
      for (let round = 0; round < 6; round++) {
        write(50);
        if (round === 3) {
          running.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
          await running.ended;
          write(50);
        }
        rotate(round);
        write(50);
        if (round === 4) running = place().start(['run', 'pipeline.yaml']);
        if (round !== 3) await wait(700);
      }
      await until('all lines', () => linesOf(place().path('out.ndjson')).length >= count).catch(() => undefined);
      await wait(1500);
      running.kill('SIGTERM');
      const { stderr } = await within(10_000, 'the end', running.ended);
      const numbers = messages().map((message) => Number(message.split(' ')[0]));
      expect(
        numbers.sort((a, b) => a - b),
        stderr,
      ).toEqual(Array.from({ length: count }, (_, at) => at));
      expect((await place().once()).summary).toMatchObject({ read: 0 });
    },
  );

  it('an unknown one is read once; a truncated one as far as it goes, and that is said', async () => {
    configure('paths: ["old/*.gz"]');
    mkdirSync(place().path('old'));
    const text = Array.from({ length: 20_000 }, (_, at) => `line ${at}\n`).join('');
    const packed = execFileSync('gzip', ['-c'], { input: text });
    place().write('old/a.log.gz', packed);
    place().write('old/b.log.gz', packed.subarray(0, packed.length / 2));
    const { summary, stderr } = await place().once();
    expect(summary.read).toBeGreaterThan(25_000);
    expect(summary.read).toBeLessThan(40_000);
    expect(stderr).toContain('MILLRACE_E_ARCHIVE_DAMAGED');
    const again = await place().once();
    expect(again.summary).toMatchObject({ read: 0 });
    expect(again.stderr).not.toContain('MILLRACE_E_ARCHIVE_DAMAGED');
  });
});

describe('1000 files at once', () => {
  it('a huge one does not hold up the small ones', async () => {
    configure('paths: ["logs/*.log"], maxOpenFiles: 16');
    const block = 'huge '.repeat(20).concat('\n').repeat(10_000);
    const huge = place().write('logs/a.log', block);
    for (let part = 1; part < 60; part++) place().append(huge, block);
    for (let file = 0; file < 999; file++) place().write(`logs/small-${file}.log`, `small ${file}\n`);
    await place().once();
    const lines = linesOf(place().path('out.ndjson'));
    const isSmall = (line: string): boolean => line.includes('"message":"small ');
    expect(lines).toHaveLength(600_999);
    expect(lines.filter(isSmall)).toHaveLength(999);
    // Two turns of 64 batches, and what is on its way.
    const before = lines.findLastIndex(isSmall) / lines.length;
    console.log(`the last small file came out after ${Math.round(before * 100)} % of everything`);
    expect(before).toBeLessThan(0.9);
  });
});
