import type { Observable, OperatorFunction } from 'rxjs';
import type { CheckpointStore } from '../model/checkpoint.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { LogEvent } from '../model/event.js';
import type { Notice } from '../model/notice.js';
import type { SinkResource } from '../model/sink.js';
import type { Source } from '../model/source.js';
import type { TransactionsResource } from '../model/transactions.js';
import type { BackoffPolicy } from '../operators/backoff.js';
import type { MirrorSpec } from './mirrors.js';

/** A route of a pipeline: a condition, more stages, and the sinks that get what comes out. */
interface RouteSpec {
  readonly name: string;
  readonly stages: readonly OperatorFunction<LogEvent, LogEvent>[];
  readonly to: readonly SinkResource[];
  /** A second sink that gets a share of the route's events, as far as it can take them. */
  readonly mirror?: MirrorSpec;
}

/** A pipeline, put together but not running. */
export interface PipelineSpec {
  /** What its sinks know it by. Default `pipeline`. */
  readonly name?: string;
  readonly source: Source;
  readonly stages: readonly OperatorFunction<LogEvent, LogEvent>[];
  readonly routes: readonly RouteSpec[];
  readonly deadLetters: SinkResource<DeadLetter>;
  readonly store: CheckpointStore;
  /** What a sink commits its output with, together with the checkpoint. Then its store takes the place of `store`. */
  readonly transactions?: TransactionsResource | undefined;
  /** At most one checkpoint in this time. Default 1000. */
  readonly checkpointEveryMs?: number;
  /** At most so often it is noted when the records of a lane came in. Default a minute. */
  readonly arrivalsEveryMs?: number;
  /** What may be between source and sinks, in bytes. Default 64 MiB. */
  readonly budgetBytes?: number;
  /** Above this share of dead letters, of at least 1000 records, the pipeline stops. Default 1: never. */
  readonly maxDeadLetterRatio?: number;
  readonly policy?: BackoffPolicy;
}

/** How a pipeline is run. */
export interface PipelineRun {
  /** Emits when reading must stop. What was read is settled and saved, then the pipeline completes. */
  readonly stop: Observable<unknown>;
  /** Read what is there, settle, save and complete. */
  readonly once: boolean;
  readonly startDeadlineMs: number;
  readonly report: (notice: Notice) => void;
  /** Hears now and then how many bytes the source knows to be unread. */
  readonly behind: (bytes: number) => void;
  /** Hears once, when all sinks are open. */
  readonly onOpen?: () => void;
}

/** The names of a pipeline's legs: the route's name, or name/n where a route has several sinks. */
export function legNames(routes: readonly { readonly name: string; readonly to: readonly unknown[] }[]): string[] {
  return routes.flatMap(({ name, to }) => (to.length === 1 ? [name] : to.map((_, at) => `${name}/${at + 1}`)));
}
