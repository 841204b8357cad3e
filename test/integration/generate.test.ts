import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generate } from '../../src/service/generate.js';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'generate-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], signal = new AbortController().signal): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const [code, out, err] = await Promise.all([
    generate(args, { stdout, stderr, signal }).finally(() => {
      stdout.end();
      stderr.end();
    }),
    text(stdout),
    text(stderr),
  ]);
  return { code, stdout: out, stderr: err };
}

const withoutTimes = (log: string): string => log.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T');

describe('generate', () => {
  it('writes as many lines as are asked for, at once, each with its line end', async () => {
    const { code, stdout, stderr } = await run(['--count', '20000']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toHaveLength(20_001);
    expect(stdout.endsWith('\n')).toBe(true);
    expect((await run(['--count', '0'])).stdout).toBe('');
  });

  it('makes the same lines of the same seed, but for the time', async () => {
    const [one, same, other] = await Promise.all(
      ['5', '5', '6'].map((seed) => run(['--count=500', `--seed=${seed}`, '--format', 'json'])),
    );
    expect(withoutTimes(same!.stdout)).toBe(withoutTimes(one!.stdout));
    expect(withoutTimes(other!.stdout)).not.toBe(withoutTimes(one!.stdout));
    const [first = ''] = one!.stdout.split('\n');
    expect(JSON.parse(first)).toHaveProperty('level');
  });

  it('ends with the present when it does not wait', async () => {
    const { stdout } = await run(['--count', '300', '--no-anomaly']);
    const times = stdout.split('\n').flatMap((line) => /^\d{4}-[^|]+/.exec(line)?.[0] ?? []);
    const last = Date.parse(times.at(-1)!);
    expect(last).toBeLessThanOrEqual(Date.now());
    expect(last).toBeGreaterThan(Date.now() - 10_000);
  });

  it('writes a file anew', async () => {
    const path = join(folder, 'out.log');
    await writeFile(path, 'x'.repeat(1_000_000));
    expect(await run(['--count', '10', '--out', path])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(11);
  });

  it('keeps to the rate and stops when told', async () => {
    const stop = new AbortController();
    const running = run(['--rate', '100'], stop.signal);
    await wait(500);
    stop.abort();
    const { code, stdout } = await running;
    expect(code).toBe(0);
    const lines = stdout.split('\n').length - 1;
    expect(lines).toBeGreaterThan(5);
    expect(lines).toBeLessThan(150);
  });

  it('waits for a slow reader, and stops even when nobody reads', async () => {
    const stop = new AbortController();
    const stdout = new PassThrough();
    const running = generate(['--rate', '0'], { stdout, stderr: new PassThrough(), signal: stop.signal });
    await wait(200);
    expect(stdout.readableLength + stdout.writableLength).toBeLessThan(400_000);
    stop.abort();
    expect(await running).toBe(0);
  });

  it('ends quietly when nobody reads any more', async () => {
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const stderr = new PassThrough();
    expect(await generate(['--rate', '0'], { stdout, stderr, signal: new AbortController().signal })).toBe(0);
    expect(stderr.read()).toBeNull();
  });

  it.each([
    [['--rate', 'fast'], "--rate must be a number, 0 or more, but is 'fast'"],
    [['--rate=-1'], "--rate must be a number, 0 or more, but is '-1'"],
    [['--count', '1.5'], "--count must be a whole number, 0 or more, but is '1.5'"],
    [['--seed', ''], "--seed must be a whole number, 0 or more, but is ''"],
    [['--format', 'xml'], "--format must be one of delimited, json, apache, but is 'xml'"],
    [['--colour'], "'--colour'"],
    [['more'], "'more'"],
  ])('%j: says what is wrong, exit code 1', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: millrace generate');
  });

  it('says why a file cannot be written, exit code 1', async () => {
    const { code, stderr } = await run(['--count', '9', '--out', join(folder, 'no', 'where.log')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^millrace generate: .*ENOENT.*where\.log'\n$/);
  });

  it('--help: the usage', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('--no-anomaly') as string });
  });
});
