import { resolve } from 'node:path';
import {
  asyncScheduler,
  catchError,
  defer,
  EMPTY,
  finalize,
  firstValueFrom,
  ignoreElements,
  merge,
  mergeMap,
  of,
  ReplaySubject,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { PipelineConfig } from '../config/schema.js';
import { isTransient, MillraceError, messageOf } from '../model/errors.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import { writeTo } from '../sinks/console/write-to.js';
import type { Connect } from '../sinks/duckdb/database.js';
import { duckdbDatabase } from '../sinks/duckdb/duckdb-database.js';
import { Stores } from '../sinks/duckdb/stores.js';
import { assemble } from './assemble.js';
import { wantsColours } from './colours.js';
import type { Environment } from './colours.js';
import type { CommandIo } from './command-io.js';
import { kafkaClient } from './kafka/kafka-client.js';
import { schemaRegistry } from './kafka/schema-registry.js';
import { lockCheckpoints } from './lock.js';
import { serviceLog } from './log.js';
import type { ServiceLog } from './log.js';
import { nodeFiles } from './node-files.js';
import { progress } from './progress.js';
import { searchSocketPath } from './search-protocol.js';
import { searchSocket } from './search-socket.js';
import { overProgress } from './terminal.js';
import { summary } from './summary.js';
import { statusOf, supervise } from './supervisor.js';
import type { Status } from './supervisor.js';

/** What `run` uses of the process beside its streams. */
export interface RunIo extends CommandIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Environment;
  readonly cwd: string;
  readonly pid: number;
  readonly isStdoutTerminal: boolean;
  readonly isStderrTerminal: boolean;
  /** Sends signal 0: throws when there is no such process. */
  probe(pid: number): void;
}

/** A stop that takes longer says what it waits for. */
const SAY_AFTER_MS = 1000;

/** Runs pipelines that are configured. */
export async function runPipelines(configs: readonly PipelineConfig[], once: boolean, io: RunIo): Promise<number> {
  const startedAt = performance.now();
  const log = serviceLog(io.stderr, {
    isTerminal: io.isStderrTerminal,
    colours: wantsColours(io.env, io.isStderrTerminal),
  });
  const stop = new ReplaySubject<void>(1);
  io.signal.addEventListener('abort', () => stop.next(), { once: true });
  if (io.signal.aborted) stop.next();
  let release: (() => void) | undefined;
  try {
    // Stopped before it began: there is nothing to settle.
    release = await firstValueFrom(locked(configs, once, io, log).pipe(takeUntil(stop)), { defaultValue: undefined });
    if (release === undefined) return 0;
    return await new Promise<number>((done) => new Run(configs, once, io, log, stop, done).start());
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : undefined;
    log.notice({ level: 'error', message: messageOf(error), ...(code === undefined ? {} : { code }) });
    if (code !== 'MILLRACE_E_FLOW_START_DEADLINE') return 1;
    io.stdout.write(`${summary(configs.map(statusOf), (performance.now() - startedAt) / 1000)}\n`);
    return 2;
  } finally {
    release?.();
  }
}

/**
 * Takes the checkpoints of all pipelines and emits what releases them. While they cannot be written it tries again: until
 * the first start deadline with `once`, else without end.
 */
function locked(configs: readonly PipelineConfig[], once: boolean, io: RunIo, log: ServiceLog): Observable<() => void> {
  const paths = configs.map(({ checkpoint }) => resolve(io.cwd, checkpoint.path));
  let lastFault = '';
  const attempts = defer(() => of(lockCheckpoints(paths, io.pid, (pid) => io.probe(pid)))).pipe(
    retryBackoff({
      maxMs: 5000,
      recoverable: isTransient,
      onRetry: ({ error }) => {
        const fault = messageOf(error);
        const code = error instanceof MillraceError ? error.code : undefined;
        const message = `locking the checkpoint: ${fault}; trying again`;
        if (fault !== lastFault) log.notice({ level: 'warn', message, ...(code === undefined ? {} : { code }) });
        lastFault = fault;
      },
    }),
  );
  const deadlineMs = Math.min(...configs.map(({ startDeadlineMs }) => startDeadlineMs));
  const late = throwError(
    () => new MillraceError('MILLRACE_E_FLOW_START_DEADLINE', `the checkpoint, startDeadlineMs is ${deadlineMs}`),
  );
  return once ? merge(attempts, timer(deadlineMs).pipe(mergeMap(() => late))).pipe(take(1)) : attempts;
}

class Run {
  readonly #configs: readonly PipelineConfig[];
  readonly #once: boolean;
  readonly #io: RunIo;
  readonly #log: ServiceLog;
  readonly #done: (code: number) => void;
  readonly #stop: Observable<void>;
  readonly #statuses: Status[];

  constructor(
    configs: readonly PipelineConfig[],
    once: boolean,
    io: RunIo,
    log: ServiceLog,
    stop: Observable<void>,
    done: (code: number) => void,
  ) {
    this.#configs = configs;
    this.#once = once;
    this.#io = io;
    this.#log = log;
    this.#stop = stop;
    this.#done = done;
    this.#statuses = configs.map(statusOf);
  }

  start(): void {
    const { stdout, isStdoutTerminal, stdin, cwd, signal, stderr, isStderrTerminal, env } = this.#io;
    const startedAt = performance.now();
    const isWatched = isStderrTerminal && !this.#once;
    const writeStdout = overProgress(writeTo(stdout), isWatched && isStdoutTerminal);
    const stores = new Stores({
      openDatabase: duckdbDatabase,
      scheduler: asyncScheduler,
      report: (notice) => this.#log.notice(notice),
      beside: (path, connect) => this.#answering(path, connect),
    });
    const colours = wantsColours(env, isStdoutTerminal);
    const around = {
      files: nodeFiles,
      kafka: kafkaClient,
      schemas: schemaRegistry,
      stdin,
      writeStdout,
      colours,
      cwd,
      stores,
    };
    const supervision = { once: this.#once, stop: this.#stop, isStopping: () => signal.aborted, log: this.#log };
    const all = this.#configs.map((config, at) => {
      const status = this.#statuses[at] ?? statusOf(config);
      return supervise(config, assemble(config, around), status, supervision);
    });
    const drainMs = Math.max(...this.#configs.map(({ drainDeadlineMs }) => drainDeadlineMs));
    const tooLate = this.#stop.pipe(
      take(1),
      mergeMap(() => timer(drainMs)),
    );
    const watching = isWatched ? progress(this.#statuses, (text) => stderr.write(text)) : EMPTY;
    const ended = new ReplaySubject<void>(1);
    const asking = this.#stop.pipe(
      take(1),
      mergeMap(() => timer(SAY_AFTER_MS)),
      tap(() => {
        const message = `stopping: what was read is still to be delivered, at most ${drainMs / 1000} s; a second signal ends it at once`;
        this.#log.notice({ level: 'info', message });
      }),
    );
    const work = merge(...all).pipe(
      ignoreElements(),
      finalize(() => ended.next()),
      takeUntil(tooLate),
    );
    merge(work, merge(watching, asking).pipe(takeUntil(ended))).subscribe({
      error: (error: unknown) => {
        this.#log.notice({ level: 'error', message: messageOf(error) });
        this.#done(3);
      },
      complete: () => {
        this.#end((performance.now() - startedAt) / 1000);
      },
    });
  }

  /** Who searches gets answers while the store is open. Without them it stores as well. */
  #answering(path: string, connect: Connect): Observable<never> {
    return searchSocket(searchSocketPath(path), connect).pipe(
      catchError((error: unknown) => {
        const message = `${path} cannot be searched while it is written: ${messageOf(error)}`;
        this.#log.notice({ level: 'warn', message });
        return EMPTY;
      }),
    );
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
