import { catchError, defer, EMPTY, map, merge, ReplaySubject, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { PipelineConfig } from '../config/schema.js';
import { addLedgers, emptyLedger } from '../flow/ledger.js';
import type { Ledger } from '../flow/ledger.js';
import { pipeline } from '../flow/pipeline.js';
import { legNames } from '../flow/pipeline-spec.js';
import type { PipelineSpec } from '../flow/pipeline-spec.js';
import { startDeadline } from '../flow/start-deadline.js';
import { MillraceError, messageOf } from '../model/errors.js';
import type { ErrorCode } from '../model/errors.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import type { ServiceLog } from './log.js';

/** How a pipeline ended. */
type Ending = 'done' | 'unreachable' | 'refused' | 'failed';

/** What is known of a running pipeline. */
export interface Status {
  readonly name: string;
  ledger: Ledger;
  behindBytes: number;
  restarts: number;
  ending: Ending | undefined;
}

/** How pipelines are supervised. */
export interface Supervision {
  readonly once: boolean;
  /** Emits, and replays, when everything is to stop. */
  readonly stop: Observable<unknown>;
  /** Whether `stop` has emitted. */
  readonly isStopping: () => boolean;
  readonly log: ServiceLog;
}

/** Starting again would not help, or would do harm. */
const FINAL: readonly ErrorCode[] = [
  'MILLRACE_E_FLOW_DEAD_LETTER_RATIO',
  'MILLRACE_E_CHECKPOINT_UNREADABLE',
  'MILLRACE_E_CHECKPOINT_VERSION',
  'MILLRACE_E_KAFKA_FENCED',
  'MILLRACE_E_KAFKA_CLIENT',
];

function isFinal(error: unknown): boolean {
  return error instanceof MillraceError && FINAL.includes(error.code);
}

/** The next start shows what became of it, and goes on from there: with `--once` as well. */
function isTransactionLost(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'MILLRACE_E_KAFKA_TRANSACTION';
}

function endingOf(error: unknown): Ending {
  if (!(error instanceof MillraceError)) return 'failed';
  if (error.code === 'MILLRACE_E_FLOW_START_DEADLINE') return 'unreachable';
  // The fault is in the configuration, or in what is installed.
  if (error.code === 'MILLRACE_E_KAFKA_CLIENT') return 'refused';
  return error.code.startsWith('MILLRACE_E_CHECKPOINT') ? 'refused' : 'failed';
}

export function statusOf({ name, routes }: PipelineConfig): Status {
  const legs = legNames(
    routes.map((route) => ({ name: route.name, to: Array.isArray(route.to) ? route.to : [route.to] })),
  );
  return { name, ledger: emptyLedger(legs), behindBytes: 0, restarts: 0, ending: undefined };
}

/**
 * Runs a pipeline, and starts it again from its checkpoint when it ends with an error, with back-off. Emits whenever
 * something settled; completes when the pipeline is done, or has ended for good; `status` says how.
 */
export function supervise(
  config: PipelineConfig,
  spec: PipelineSpec,
  status: Status,
  { once, stop, isStopping, log }: Supervision,
): Observable<Status> {
  const say = (level: 'info' | 'warn' | 'error', message: string, code?: string): void =>
    log.notice({ level, message, ...(code === undefined ? {} : { code }) }, config.name);
  const run = defer(() => {
    const opened = new ReplaySubject<void>(1);
    const flow = pipeline(spec, {
      stop,
      once,
      startDeadlineMs: config.startDeadlineMs,
      report: (notice) => {
        if (notice.code === 'MILLRACE_E_FLOW_START_DEADLINE') status.ending = 'unreachable';
        log.notice(notice, config.name);
      },
      behind: (bytes) => (status.behindBytes = bytes),
      onOpen: () => opened.next(),
    });
    const deadline = once ? startDeadline(config.startDeadlineMs, opened) : EMPTY;
    return merge(flow, deadline);
  });
  return run.pipe(
    retryBackoff({
      initialMs: 1000,
      maxMs: 60_000,
      // Started again while everything stops it would end at once, as if nothing were left to settle.
      recoverable: (error) => !isStopping() && (once ? isTransactionLost(error) : !isFinal(error)),
      onRetry: ({ error, waitMs }) => {
        status.restarts++;
        const code = error instanceof MillraceError ? error.code : undefined;
        say('error', `ended: ${messageOf(error)}; starting again in ${Math.round(waitMs)} ms`, code);
      },
      // A pipeline that is started when everything is to stop ends at once.
      wake: stop,
    }),
    map(({ ledger }) => {
      status.ledger = addLedgers(status.ledger, ledger);
      return status;
    }),
    catchError((error: unknown) => {
      status.ending = endingOf(error);
      say('error', `stopped: ${messageOf(error)}`, error instanceof MillraceError ? error.code : undefined);
      return EMPTY;
    }),
    tap({ complete: () => (status.ending ??= 'done') }),
  );
}
