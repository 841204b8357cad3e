import { asyncScheduler, defer, EMPTY, map, NEVER, of, repeat, switchMap, takeUntil, takeWhile, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { Batch, Lane, LogRecord } from '../../model/batch.js';
import type { Json } from '../../model/json.js';
import type { SavedLane, Source, SourceContext } from '../../model/source.js';
import { MAX_LINES, RECORD_BYTES } from '../lines.js';
import { generatedLine } from './lines.js';
import type { LineStyle } from './lines.js';
import type { GeneratorOptions } from './options.js';

/** How often records that are due are emitted. */
const TICK_MS = 50;
/** The clock is looked at again after this, for logs so slow that a timer could not wait for their next record. */
const MAX_WAIT_MS = 60_000;
const MAX_BATCH_BYTES = 1_048_576;
/** What is reserved for a record before its text is known: a little more than most take. */
const ESTIMATED_RECORD_BYTES = RECORD_BYTES + 256;
/** Nobody wants a day of made-up lines at once: after a longer pause the log goes on from now. */
const MAX_CATCH_UP_MS = 10_000;
/** Where the log ends when everything is to be read at once and no count is given. */
const ONCE_COUNT = 1000;

/**
 * Makes up a log. One lane, `generator:<seed>:<beginning>`; the position is the index of the next record, and so is a
 * record's offset.
 *
 * Record n is due `n / rate` seconds after the log's beginning, and that is its time too. So what a short pause or
 * a restart has held up is made up for, as with a file that somebody else went on writing. The beginning is in the lane's
 * state: a replay gives the same lines. After more than 10 s, or with another rate, it goes on from now.
 *
 * - completes after `count` records, or when the context says stop. With `once` nothing is waited for, and the log ends
 *   after `count` records, or 1000; without either it goes on for ever.
 * - never errors; on unsubscribe the timer ends and nothing stays reserved that was not emitted.
 * - reserves before it generates; a batch is at most 5000 records and 1 MiB, or one record. Keeps nothing but the index.
 */
export function generatorSource(options: GeneratorOptions, scheduler: SchedulerLike = asyncScheduler): Source {
  return { open: (context) => defer(() => of(laneOf(options, context, scheduler))) };
}

function laneOf(options: GeneratorOptions, context: SourceContext, scheduler: SchedulerLike): Lane {
  const name = `generator:${options.seed}:`;
  const limit = options.count ?? (context.once ? ONCE_COUNT : Infinity);
  const [savedId, saved] = [...context.saved].find(([lane]) => lane.startsWith(name)) ?? [];
  const position = saved?.position ?? 0;
  const startedAt =
    startOf(options.rate, saved, scheduler) ?? freshStart(options.rate, position, context.once ? limit : 0, scheduler);
  // Two logs of one seed are two logs: their events must not have the same ids.
  const id = savedId ?? name + startedAt.toString(36);
  const log: Log = { id, style: { ...options, startedAt }, limit, isPaced: !context.once };
  return {
    id,
    position,
    state: stateOf(log),
    fields: options.fields,
    batches: batchesOf(log, position, context, scheduler),
    revoked: NEVER,
  };
}

/** What a lane needs to know to go on at any index. */
interface Log {
  readonly id: string;
  readonly style: LineStyle;
  /** The index at which it ends. */
  readonly limit: number;
  /** Whether a record has to be due before it is emitted. */
  readonly isPaced: boolean;
}

function stateOf({ style: { startedAt, rate } }: Log): Json {
  return { startedAt, rate };
}

/** The saved beginning, if it was for this rate and the log was not left alone for long. */
function startOf(rate: number, saved: SavedLane | undefined, scheduler: SchedulerLike): number | undefined {
  const state = saved?.state;
  if (typeof state !== 'object' || state === null || !('startedAt' in state) || !('rate' in state)) return undefined;
  if (typeof state.startedAt !== 'number' || state.rate !== rate || saved === undefined) return undefined;
  const behindMs = scheduler.now() - state.startedAt - (saved.position * 1000) / rate;
  return behindMs <= MAX_CATCH_UP_MS ? state.startedAt : undefined;
}

/** A beginning such that the record at `position` is due now, and with `once` the last one, at `limit`. */
function freshStart(rate: number, position: number, limit: number, scheduler: SchedulerLike): number {
  return scheduler.now() - Math.floor((Math.max(position, limit) * 1000) / rate);
}

function batchesOf(log: Log, from: number, context: SourceContext, scheduler: SchedulerLike): Observable<Batch> {
  return defer(() => {
    let next = from;
    // One round is one batch. It begins with a timer even when it is late: a log that is behind must not hold up the rest.
    const round = defer(() => timer(waitMs(log, next, scheduler), scheduler)).pipe(
      switchMap(() => {
        const records = Math.min(dueBy(log, scheduler) - next, MAX_LINES);
        if (records <= 0) return EMPTY;
        const estimate = Math.min(records * ESTIMATED_RECORD_BYTES, MAX_BATCH_BYTES);
        return context.demand.reserve(log.id, estimate).pipe(
          map(() => {
            const batch = generate(log, next, records);
            context.demand.adjust(log.id, batch.bytes - estimate);
            next = batch.position;
            return batch;
          }),
        );
      }),
    );
    if (next >= log.limit) return EMPTY;
    return round.pipe(
      repeat(),
      takeWhile(({ position }) => position < log.limit, true),
      takeUntil(context.stop),
    );
  });
}

/** Until the next record is due, but a tick at least, so that a fast log is not cut into batches of one record. */
function waitMs(log: Log, next: number, scheduler: SchedulerLike): number {
  if (!log.isPaced || dueBy(log, scheduler) - next >= MAX_LINES) return 0;
  const { startedAt, rate } = log.style;
  const dueMs = Math.ceil(startedAt + (next * 1000) / rate - scheduler.now());
  return Math.min(Math.max(TICK_MS, dueMs), MAX_WAIT_MS);
}

/** The index up to which records are due: record n at `n / rate` seconds. */
function dueBy({ style: { startedAt, rate }, limit, isPaced }: Log, scheduler: SchedulerLike): number {
  if (!isPaced) return limit;
  return Math.min(limit, Math.floor(((scheduler.now() - startedAt) * rate) / 1000) + 1);
}

/** At most `count` records from `first` on, and no more than a batch may take; at least one. */
function generate(log: Log, first: number, count: number): Batch {
  const records: LogRecord[] = [];
  let bytes = 0;
  for (let index = first; index < first + count; index++) {
    const text = generatedLine(log.style, index);
    const taken = Buffer.byteLength(text) + RECORD_BYTES;
    if (records.length > 0 && bytes + taken > MAX_BATCH_BYTES) break;
    records.push({ offset: index, text });
    bytes += taken;
  }
  return { records, position: first + records.length, bytes, state: stateOf(log) };
}
