import {
  asyncScheduler,
  catchError,
  defer,
  EMPTY,
  endWith,
  filter,
  ignoreElements,
  merge,
  mergeMap,
  Subject,
  switchMap,
  takeUntil,
  takeWhile,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { Lane } from '../../model/batch.js';
import { isTransient, MillraceError, messageOf } from '../../model/errors.js';
import type { ConsumerOptions, Kafka } from '../../model/kafka.js';
import type { Source, SourceContext } from '../../model/source.js';
import type { BackoffPolicy } from '../../operators/backoff.js';
import { retryBackoff } from '../../operators/retry-backoff.js';
import { Membership } from './membership.js';
import { connectionOf } from './options.js';
import type { KafkaSourceOptions } from './options.js';
import { laneId } from './partition-lane.js';
import type { Decode } from './records.js';

/** What a Kafka source needs of the world. */
export interface KafkaPorts {
  readonly kafka: Kafka;
  readonly decode: Decode;
}

/**
 * Reads topics as a member of a consumer group. Every partition is a lane; the group's committed offset says where it
 * begins, or how far we had settled it if that is further: another processor may have had it meanwhile. An offset is committed
 * when everything before it has settled and the checkpoint that says so is durable, and only while the partition is
 * ours in the group's current division; with transactions it is committed with the output, by who has claimed the lane. What was not committed is read again, by whoever owns the lane then, with the
 * same ids.
 *
 * - a message that carries an id in its header `millrace-id` keeps it; else `event.id` is topic-partition:offset.
 * - when demand is shut the partition is paused; the others go on, and the member stays in the group.
 * - on error of the connection: the lanes are revoked, and a new member joins, with back-off.
 * - on complete: after `stop`, or with `once` when the ends at the start were reached, and all is committed.
 * - memory: beside the budget, what one fetch has brought: 1 MiB a partition, before decompression.
 */
export function kafkaSource(
  options: KafkaSourceOptions,
  { kafka, decode }: KafkaPorts,
  scheduler: SchedulerLike = asyncScheduler,
): Source {
  return {
    open: (context) =>
      defer(() => {
        const durable = new Map([...context.saved].map(([id, { position }]) => [id, position]));
        const noted = context.durable.pipe(
          tap((positions) => refill(durable, positions)),
          ignoreElements(),
        );
        const lanes = joined(options, { kafka, decode }, context, durable, scheduler);
        return merge(noted, lanes.pipe(endWith(undefined))).pipe(takeWhile((lane) => lane !== undefined));
      }),
  };
}

function refill<K, V>(map: Map<K, V>, entries: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

/** `durable`: how far lanes are durable, while there are members and between them. */
function joined(
  options: KafkaSourceOptions,
  { kafka, decode }: KafkaPorts,
  context: SourceContext,
  durable: Map<string, number>,
  scheduler: SchedulerLike,
): Observable<Lane> {
  const { groupId, topics, sessionTimeoutMs, silenceMs } = options;
  const setting = {
    options,
    decode,
    context,
    scheduler,
    ends: new Map<string, number>(),
    ended: new Set<string>(),
    durable,
  };
  const reached = new Subject<void>();
  let isMember = false;
  let isStopping = false;
  let lastError: unknown;
  const member = { groupId, topics, sessionTimeoutMs, claim: claimOf(context) };
  const members = defer(() => kafka.consume(connectionOf(options), member)).pipe(
    // A network that swallows everything lets connections come about, and then nothing more.
    timeout({ first: silenceMs, with: () => throwError(() => silent(silenceMs)), scheduler }),
    switchMap((consumer) => {
      isMember = true;
      reached.next();
      const membership = new Membership(setting, consumer);
      return membership.run.pipe(endWith(undefined), tap({ error: () => membership.revokeAll() }));
    }),
    takeWhile((lane) => lane !== undefined),
    tap({
      error: (error: unknown) => {
        isMember = false;
        lastError = error;
      },
    }),
    retryBackoff(
      rejoining(topics, context, () => isStopping),
      scheduler,
    ),
    catchError((error: unknown) => {
      if (!isStopping) throw error;
      // What could not be committed is read again next time.
      context.report({ level: 'warn', message: `left without a last commit: ${messageOf(error)}` });
      return EMPTY;
    }),
  );
  const stopped = context.stop.pipe(
    tap(() => (isStopping = true)),
    // A member commits and leaves before it completes.
    filter(() => !isMember),
  );
  return merge(
    context.once ? deadline(topics, () => lastError, context, scheduler).pipe(takeUntil(reached)) : EMPTY,
    members,
  ).pipe(takeUntil(stopped));
}

function claimOf({ claim }: SourceContext): ConsumerOptions['claim'] {
  return claim && ((partitions) => claim(partitions.map((each) => ({ ...each, lane: laneId(each) }))));
}

function rejoining(topics: readonly string[], context: SourceContext, isStopping: () => boolean): BackoffPolicy {
  let lastCode: string | undefined;
  return {
    maxMs: 10_000,
    recoverable: (error) => !isStopping() && isTransient(error),
    onRetry: ({ error, triesInARow }) => {
      const code = error instanceof MillraceError ? error.code : undefined;
      // Said at once, then less and less often; another fault is said at once as well.
      const isSaid = code !== lastCode || (triesInARow & (triesInARow - 1)) === 0;
      lastCode = code;
      context.report({
        level: isSaid ? 'warn' : 'debug',
        message: `reading ${topics.join(', ')}: ${messageOf(error)}; joining again`,
        ...(code === undefined ? {} : { code }),
      });
    },
  };
}

function silent(silenceMs: number): MillraceError {
  return new MillraceError('MILLRACE_E_KAFKA_SILENT', `for ${silenceMs} ms`);
}

function deadline(
  topics: readonly string[],
  lastError: () => unknown,
  { startDeadlineMs }: SourceContext,
  scheduler: SchedulerLike,
): Observable<never> {
  const late = (): MillraceError => {
    const cause = lastError();
    const why = cause === undefined ? 'no answer' : messageOf(cause);
    return new MillraceError('MILLRACE_E_FLOW_START_DEADLINE', `topics ${topics.join(', ')}: ${why}`, { cause });
  };
  return timer(startDeadlineMs, scheduler).pipe(mergeMap(() => throwError(() => late())));
}
