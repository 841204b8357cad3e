import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

/** How a server is started. */
export interface JavaCommand {
  readonly name: string;
  readonly cwd: string;
  readonly args: readonly string[];
  /** What it writes when it is ready. */
  readonly ready: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

const READY_MS = 90_000;
const STOP_MS = 10_000;
const MAX_OUTPUT_CHARS = 200_000;

/** A server in a process of its own. It ends when this process does, however that ends: its stdin is a pipe from here. */
export class JavaProcess {
  readonly #command: JavaCommand;
  #child: ChildProcess | undefined;
  #output = '';
  #ended: Promise<void> = Promise.resolve();

  constructor(command: JavaCommand) {
    this.#command = command;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The last part of what it has written. */
  get output(): string {
    return this.#output;
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    const { name, cwd, args, ready, env } = this.#command;
    if (this.#child !== undefined) throw new Error(`${name} is running already`);
    this.#output = '';
    const child = spawn('java', args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#ended = new Promise((done) => {
      const end = (): void => {
        if (this.#child === child) this.#child = undefined;
        done();
      };
      child.once('close', end);
      child.once('error', end);
    });
    child.stdin.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-MAX_OUTPUT_CHARS);
      });
    }
    const deadline = performance.now() + READY_MS;
    while (!ready.test(this.#output)) {
      if (this.#child !== child) throw new Error(`${name} ended at its start:\n${this.#output.slice(-4000)}`);
      if (performance.now() > deadline) {
        await this.kill();
        throw new Error(`${name} was not ready in ${READY_MS} ms:\n${this.#output.slice(-4000)}`);
      }
      await wait(20);
    }
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Stops it in order; kill -9 when that takes too long. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    const late = new AbortController();
    const patience = wait(STOP_MS, undefined, { signal: late.signal }).then(
      () => this.kill(),
      () => undefined,
    );
    await this.#ended;
    late.abort();
    await patience;
  }

  /** SIGSTOP: connections stay open and nobody answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }
}
