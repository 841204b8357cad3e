import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';
import { CONTRACT_EXAMPLE } from '../contract-example.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running millrace. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Nobody reads it any more. */
  closeStdout(): void;
}

interface StartOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** A fresh temporary folder, and the processes that were started in it. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-it-'));
  readonly #running = new Set<Running>();
  readonly #mounts: string[] = [];

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(name: string, content: string | Uint8Array): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  append(path: string, content: string | Uint8Array): void {
    appendFileSync(path, content);
  }

  mkdir(name: string): string {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  /** Starts `node dist/main.js …` on the Node that runs the tests, in this folder. */
  start(args: readonly string[], { stdin, env = {} }: StartOptions = {}): Running {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: this.folder, env: { PATH: '', ...env } });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
    }
    // It may end before it has read everything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const ended = new Promise<Ended>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code, signal) => {
        this.#running.delete(running);
        done({ code, signal, ...texts });
      });
    });
    const running: Running = {
      pid: child.pid ?? -1,
      ended,
      stdout: () => texts.stdout,
      stderr: () => texts.stderr,
      kill: (signal) => child.kill(signal),
      closeStdout: () => child.stdout.destroy(),
    };
    this.#running.add(running);
    return running;
  }

  /** Runs to the end. */
  async run(args: readonly string[], options?: StartOptions): Promise<Ended> {
    return within(60_000, `millrace ${args.join(' ')}`, this.start(args, options).ended);
  }

  /** `run CONFIG --once`, and its summary. */
  async once(config = 'pipeline.yaml', options?: StartOptions): Promise<Ended & { readonly summary: Summary }> {
    const ended = await this.run(['run', config, '--once'], options);
    const last = ended.stdout.trimEnd().split('\n').at(-1) ?? '';
    if (!last.startsWith('{')) throw new Error(`no summary (exit code ${String(ended.code)}): ${ended.stderr}`);
    return { ...ended, summary: JSON.parse(last) as Summary };
  }

  /** A file system of its own, that can be full. Undefined where tests may not mount one. */
  mountSmall(name: string, size: string): string | undefined {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    this.#mounts.push(path);
    return path;
  }

  async dispose(): Promise<void> {
    for (const running of [...this.#running]) {
      running.kill('SIGKILL');
      await running.ended;
    }
    for (const path of this.#mounts) execFileSync('umount', ['-l', path]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a run with --once ends with. */
export interface Counts {
  readonly read: number;
  readonly expanded: number;
  readonly filtered: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly duplicates: number;
}
export interface Summary extends Counts {
  readonly seconds: number;
  readonly legs?: Readonly<Record<string, Counts>>;
  readonly pipelines?: Readonly<Record<string, Summary>>;
}

/** A new place for each test of the file; everything that is left of it is ended and removed after the test. */
export function placeForEachTest(): () => Place {
  let place: Place | undefined;
  beforeEach(() => {
    place = new Place();
  });
  afterEach(async () => {
    await place?.dispose();
    place = undefined;
  });
  return () => {
    if (place === undefined) throw new Error('only inside a test');
    return place;
  };
}

export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const aborter = new AbortController();
  const late = wait(ms, undefined, { signal: aborter.signal }).then(
    () => {
      throw new Error(`${what}: not within ${ms} ms`);
    },
    () => promise,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    aborter.abort();
  }
}

/** Waits until the condition holds. `what`: for the message when it does not in time. */
export async function until(what: string | (() => string), condition: () => boolean, ms = 15_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${typeof what === 'string' ? what : what()}: not in ${ms} ms`);
    await wait(10);
  }
}

/** The complete lines of a file; none when it does not exist. */
export function linesOf(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').slice(0, -1);
}

/** The complete lines that a growing file has, read as they come. */
export class Lines {
  readonly #path: string;
  readonly all: string[] = [];
  #rest = Buffer.alloc(0);
  #end = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes in what was added; returns it. */
  more(): string[] {
    if (!existsSync(this.#path)) return [];
    const fd = openSync(this.#path, 'r');
    try {
      const block = Buffer.alloc(Math.max(0, fstatSync(fd).size - this.#end));
      const count = readSync(fd, block, 0, block.length, this.#end);
      this.#end += count;
      const text = Buffer.concat([this.#rest, block.subarray(0, count)]);
      const end = text.lastIndexOf(10) + 1;
      this.#rest = text.subarray(end);
      const lines = text.toString('utf8', 0, end).split('\n').slice(0, -1);
      this.all.push(...lines);
      return lines;
    } finally {
      closeSync(fd);
    }
  }
}

export type Json = Readonly<Record<string, unknown>>;

/** Each line of a file as JSON; a torn one throws. */
export function ndjson(path: string): Json[] {
  return linesOf(path).map((line) => JSON.parse(line) as Json);
}

/** The most memory a process has had, in MB. */
export function peakMegabytes(pid: number): number {
  const kilobytes = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

/** The memory that a process has now, in MB. */
export function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

/** Processor time a process has used, in ms. The kernel counts ticks of 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Random numbers in [0, 1) that are the same for the same seed. Source: mulberry32, public domain. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A new seed, or the one that a failed run has printed: MILLRACE_SEED. It is printed. */
export function announcedSeed(test: string): number {
  const given = process.env['MILLRACE_SEED'];
  const seed = given === undefined ? Date.now() % 1_000_000 : Number(given);
  console.log(`${test}: MILLRACE_SEED=${seed}`);
  return seed;
}

/** The contract's example configuration, with some lines of it replaced. */
export function exampleConfig(changes: Readonly<Record<string, string>> = {}): string {
  let text = CONTRACT_EXAMPLE;
  for (const [line, replacement] of Object.entries(changes)) {
    if (!text.includes(line)) throw new Error(`the example has no ${line}`);
    text = text.replace(line, replacement);
  }
  return text;
}
