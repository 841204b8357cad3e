import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cpuMs, Lines, openDescriptors, peakMegabytes, placeForEachTest, until, within } from './harness.js';

const place = placeForEachTest();

const FILES = 10_000;
const LINES_A_FILE = 10;
const MAX_OPEN_FILES = 256;
const IDLE_MS = 5000;

describe('many files', () => {
  it('10 000 of them, and then some that grow: every line once, few open files, little memory, quiet when idle', async () => {
    for (let file = 0; file < FILES; file++) {
      const lines = Array.from({ length: LINES_A_FILE }, (_, n) => `${file} ${n}\n`);
      place().write(`logs/${file % 10}/${file}.log`, lines.join(''));
    }
    place().write(
      'pipeline.yaml',
      `source: { tail: { paths: ["logs/*/*.log"], maxOpenFiles: ${MAX_OPEN_FILES} } }
routes: [{ to: { file: { path: out.log, format: raw } } }]`,
    );
    const began = performance.now();
    const running = place().start(['run', 'pipeline.yaml']);
    const out = new Lines(place().path('out.log'));
    let mostOpen = 0;
    const arrived = async (count: number, ms: number): Promise<void> => {
      await until(
        () => `${out.all.length} of ${count} lines; ${running.stderr()}`,
        () => {
          out.more();
          mostOpen = Math.max(mostOpen, openDescriptors(running.pid));
          return out.all.length >= count;
        },
        ms,
      );
    };
    await arrived(FILES * LINES_A_FILE, 60_000);
    const readMs = performance.now() - began;

    await wait(2000);
    const cpuBefore = cpuMs(running.pid);
    await wait(IDLE_MS);
    const idleCpu = (cpuMs(running.pid) - cpuBefore) / (IDLE_MS / 1000);

    const grown = Array.from({ length: 500 }, (_, n) => n * 20 + 7);
    const appended = performance.now();
    for (const file of grown) place().append(place().path(`logs/${file % 10}/${file}.log`), `${file} more\n`);
    await arrived(FILES * LINES_A_FILE + grown.length, 20_000);
    const grownMs = performance.now() - appended;

    const megabytes = peakMegabytes(running.pid);
    const stopping = performance.now();
    running.kill('SIGTERM');
    const { code, stderr } = await within(10_000, 'the end', running.ended);
    const stopMs = performance.now() - stopping;
    console.log(
      `${FILES} files read in ${Math.round(readMs)} ms, ${grown.length} grown ones in ${Math.round(grownMs)} ms; ` +
        `at most ${mostOpen} descriptors, ${Math.round(megabytes)} MB; idle ${idleCpu.toFixed(1)} ms CPU a second; ` +
        `stopped in ${Math.round(stopMs)} ms`,
    );
    expect(code, stderr).toBe(0);
    expect(mostOpen).toBeLessThan(MAX_OPEN_FILES + 64);
    expect(megabytes).toBeLessThan(350);
    expect(idleCpu).toBeLessThan(200);

    out.more();
    const wanted = new Set(
      Array.from({ length: FILES }, (_, file) => Array.from({ length: LINES_A_FILE }, (_, n) => `${file} ${n}`)).flat(),
    );
    for (const file of grown) wanted.add(`${file} more`);
    expect(out.all.length).toBe(wanted.size);
    expect(out.all.filter((line) => !wanted.has(line))).toEqual([]);
    expect(new Set(out.all).size).toBe(wanted.size);
    expect((await place().once()).summary).toMatchObject({ read: 0 });
  });
});
