import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tailFiles } from '../../src/service/tail-command.js';

let folder = '';
let path = '';
let stop = new AbortController();
let running: Promise<number>[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tail-command-'));
  path = join(folder, 'app.log');
  stop = new AbortController();
  running = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
  await rm(folder, { recursive: true });
});

/** Runs the command until the test ends; what it has written so far, by line. */
function tail(...args: string[]): { out: () => string[]; err: () => string; code: Promise<number> } {
  const texts = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof texts): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += String(chunk);
        done();
      },
    });
  const code = tailFiles(args, { stdout: sink('stdout'), stderr: sink('stderr'), signal: stop.signal, env: {} });
  running.push(code);
  return { out: () => texts.stdout.split('\n').slice(0, -1), err: () => texts.stderr, code };
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, 8000);
}

const at = (second: number): string => `2026-03-09T10:11:${String(second).padStart(2, '0')}.000Z`;

describe('tail', () => {
  it('shows the last ten lines, in the guessed format, and what is added', async () => {
    await writeFile(path, Array.from({ length: 30 }, (_, n) => `${at(n)}|INFO|message ${n}\n`).join(''));
    const { out } = tail(path);
    await until(() => expect(out()).toHaveLength(10));
    expect(out()[0]).toBe('10:11:20.000 INFO  app.log message 20');
    await appendFile(path, `${at(30)}|WARN|late\u001b[31m\nno fields here\n`);
    await until(() => expect(out()).toHaveLength(12));
    expect(out().slice(10)).toEqual(['10:11:30.000 WARN  app.log late\\x1b[31m', 'no fields here']);
  });

  it('shows several files, each in its own format', async () => {
    const other = join(folder, 'other.log');
    await writeFile(path, `${at(1)}|INFO|one\n`);
    await writeFile(other, `{"time":"${at(2)}","level":"error","message":"two","service":"pay","ms":3}\n`);
    const { out } = tail(path, other);
    await until(() => expect(out()).toHaveLength(2));
    expect(out().sort()).toEqual(['10:11:01.000 INFO  app.log one', '10:11:02.000 ERROR pay two ms=3']);
  });

  it('--level: the listed levels, whatever they are called, with their stack traces', async () => {
    const lines = ['ERROR|boom', 'INFO|fine', 'warning|hm', 'INFO|fine'].map((rest, n) => `${at(n)}|${rest}`);
    lines.splice(1, 0, '    at com.shop.Payment.charge(Payment.java:42)');
    lines.splice(3, 0, '    at not.shown(Either.java:1)');
    await writeFile(path, `${lines.join('\n')}\n`);
    const { out } = tail('--level', 'error, WARN', path);
    await until(() => expect(out()).toHaveLength(3));
    expect(out()).toEqual([
      '10:11:00.000 ERROR app.log boom',
      '    at com.shop.Payment.charge(Payment.java:42)',
      '10:11:02.000 WARNING app.log hm',
    ]);
  });

  it('--grep: the lines in which it finds something', async () => {
    await writeFile(path, `${at(1)}|INFO|order 17\n${at(2)}|INFO|order 18\n\nplain 17\n`);
    const { out } = tail('--grep', '1[79]$', path);
    await until(() => expect(out()).toEqual(['10:11:01.000 INFO  app.log order 17', 'plain 17']));
  });

  it('waits for a missing file, says so once, and guesses its format when it comes', async () => {
    const { out, err } = tail(path);
    await until(() => expect(err()).toContain('app.log; waiting for it'));
    await new Promise((done) => setTimeout(done, 1200));
    expect(err().split('\n')).toHaveLength(2);
    await writeFile(path, `${at(1)}|INFO|here I am\n`);
    await until(() => expect(out()).toEqual(['10:11:01.000 INFO  app.log here I am']));
  });

  it('goes on with the file that takes the place of a renamed one, from its beginning', async () => {
    await writeFile(path, `${at(1)}|INFO|old\n`);
    const { out } = tail(path);
    await until(() => expect(out()).toHaveLength(1));
    await rename(path, `${path}.1`);
    await writeFile(path, `${at(2)}|INFO|new\n`);
    await until(() => expect(out().slice(1)).toEqual(['10:11:02.000 INFO  app.log new']));
  });

  it('guesses again while it has seen little', async () => {
    await writeFile(path, '');
    const { out } = tail(path);
    await new Promise((done) => setTimeout(done, 200));
    await appendFile(path, `listening\n${at(1)}|INFO|one\n${at(2)}|INFO|two\n`);
    await until(() => expect(out()).toHaveLength(3));
    expect(out()[0]).toBe('app.log listening');
    expect(out()[2]).toBe('10:11:02.000 INFO  app.log two');
  });

  it('colours for a terminal', async () => {
    await writeFile(path, `${at(1)}|ERROR|boom\n`);
    const stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true });
    running.push(tailFiles([path], { stdout, stderr: new PassThrough(), signal: stop.signal, env: {} }));
    await until(() => expect(stdout.readableLength).toBeGreaterThan(0));
    expect(stdout.read()).toContain('\u001b[31mERROR\u001b[0m');
  });

  it('ends with 0 when it is stopped, and when nobody looks any more', async () => {
    await writeFile(path, 'hello\n');
    const { code, out } = tail(path);
    await until(() => expect(out()).toHaveLength(1));
    stop.abort();
    expect(await code).toBe(0);
    expect(await tail(path).code).toBe(0);

    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const stderr = new PassThrough();
    expect(await tailFiles([path], { stdout, stderr, signal: new AbortController().signal, env: {} })).toBe(0);
    expect(stderr.read()).toBeNull();
  });

  it('leaves lines out, and says how many, when they come faster than they can be shown', async () => {
    await writeFile(path, '');
    const shown: string[] = [];
    let go: (() => void) | undefined;
    const stdout = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        shown.push(...String(chunk).split('\n').slice(0, -1));
        if (go === undefined) go = done;
        else done();
      },
    });
    running.push(tailFiles([path], { stdout, stderr: new PassThrough(), signal: stop.signal, env: {} }));
    await new Promise((done) => setTimeout(done, 200));
    await appendFile(path, 'x\n'.repeat(25_000));
    await until(() => expect(shown).toHaveLength(1));
    await new Promise((done) => setTimeout(done, 500));
    go?.();
    await until(() => expect(shown.at(-1)).toBe('… 14999 lines left out: they came faster than they could be shown'));
    expect(shown).toHaveLength(10_002);
  });

  it.each([
    [[], 'which files?'],
    [['--level', 'LOUD', 'a.log'], "but has 'LOUD'"],
    [['--grep', '(', 'a.log'], '--grep: Invalid regular expression'],
    [['--follow', 'a.log'], "'--follow'"],
  ])('%j: says what is wrong, exit code 1', async (args, message) => {
    const { code, err } = tail(...args);
    expect(await code).toBe(1);
    expect(err()).toContain(message);
    expect(err()).toContain('Usage: millrace tail');
  });

  it('--help: the usage', async () => {
    const { code, out } = tail('--help');
    expect(await code).toBe(0);
    expect(out()[0]).toContain('Usage: millrace tail');
  });
});
