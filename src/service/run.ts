import { resolve } from 'node:path';
import { EMPTY, finalize, ignoreElements, merge, mergeMap, ReplaySubject, take, takeUntil, timer } from 'rxjs';
import type { PipelineConfig } from '../config/schema.js';
import { MillraceError, messageOf } from '../model/errors.js';
import { writeTo } from '../sinks/console/write-to.js';
import { assemble } from './assemble.js';
import type { CommandIo } from './command-io.js';
import { lockCheckpoint } from './lock.js';
import { serviceLog } from './log.js';
import type { ServiceLog } from './log.js';
import { nodeFiles } from './node-files.js';
import { progress } from './progress.js';
import { overProgress } from './terminal.js';
import { summary } from './summary.js';
import { statusOf, supervise } from './supervisor.js';
import type { Status } from './supervisor.js';

/** What `run` uses of the process beside its streams. */
export interface RunIo extends CommandIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  readonly isStdoutTerminal: boolean;
  readonly isStderrTerminal: boolean;
  /** Sends signal 0: throws when there is no such process. */
  probe(pid: number): void;
}

/** Runs pipelines that are configured. */
export async function runPipelines(configs: readonly PipelineConfig[], once: boolean, io: RunIo): Promise<number> {
  const log = serviceLog(io.stderr, io.isStderrTerminal);
  const releases: (() => void)[] = [];
  try {
    for (const { checkpoint } of configs) {
      releases.push(lockCheckpoint(resolve(io.cwd, checkpoint.path), io.pid, (pid) => io.probe(pid)));
    }
    return await new Promise<number>((done) => new Run(configs, once, io, log, done).start());
  } catch (error) {
    log.notice({
      level: 'error',
      message: messageOf(error),
      ...(error instanceof MillraceError ? { code: error.code } : {}),
    });
    return 1;
  } finally {
    for (const release of releases) release();
  }
}

class Run {
  readonly #configs: readonly PipelineConfig[];
  readonly #once: boolean;
  readonly #io: RunIo;
  readonly #log: ServiceLog;
  readonly #done: (code: number) => void;
  readonly #stop = new ReplaySubject<void>(1);
  readonly #statuses: Status[];

  constructor(
    configs: readonly PipelineConfig[],
    once: boolean,
    io: RunIo,
    log: ServiceLog,
    done: (code: number) => void,
  ) {
    this.#configs = configs;
    this.#once = once;
    this.#io = io;
    this.#log = log;
    this.#done = done;
    this.#statuses = configs.map(statusOf);
  }

  start(): void {
    const { stdout, isStdoutTerminal, stdin, cwd, signal, stderr, isStderrTerminal } = this.#io;
    const startedAt = performance.now();
    const isWatched = isStderrTerminal && !this.#once;
    const writeStdout = overProgress(writeTo(stdout), isWatched && isStdoutTerminal);
    const around = { files: nodeFiles, stdin, writeStdout, colours: isStdoutTerminal, cwd };
    const supervision = { once: this.#once, stop: this.#stop, log: this.#log };
    const all = this.#configs.map((config, at) => {
      const status = this.#statuses[at] ?? statusOf(config);
      return supervise(config, assemble(config, around), status, supervision);
    });
    signal.addEventListener('abort', () => this.#stop.next(), { once: true });
    if (signal.aborted) this.#stop.next();
    const drainMs = Math.max(...this.#configs.map(({ drainDeadlineMs }) => drainDeadlineMs));
    const tooLate = this.#stop.pipe(
      take(1),
      mergeMap(() => timer(drainMs)),
    );
    const watching = isWatched ? progress(this.#statuses, (text) => stderr.write(text)) : EMPTY;
    const ended = new ReplaySubject<void>(1);
    const work = merge(...all).pipe(
      ignoreElements(),
      finalize(() => ended.next()),
      takeUntil(tooLate),
    );
    merge(work, watching.pipe(takeUntil(ended))).subscribe({
      error: (error: unknown) => {
        this.#log.notice({ level: 'error', message: messageOf(error) });
        this.#done(3);
      },
      complete: () => {
        this.#end((performance.now() - startedAt) / 1000);
      },
    });
  }

  #end(seconds: number): void {
    if (this.#once) this.#io.stdout.write(`${summary(this.#statuses, seconds)}\n`);
    const unfinished = this.#statuses.filter(({ ending }) => ending === undefined);
    for (const { name } of unfinished) {
      const code = 'MILLRACE_E_FLOW_DRAIN_INCOMPLETE';
      const message = 'not everything could be settled before the deadline; it will be read again';
      this.#log.notice({ level: 'error', code, message }, name);
    }
    this.#done(this.#exitCode());
  }

  #exitCode(): number {
    const endings = this.#statuses.map(({ ending }) => ending);
    if (endings.includes('refused')) return 1;
    if (endings.includes('unreachable')) return 2;
    return endings.every((ending) => ending === 'done') ? 0 : 3;
  }
}
