import { concat, concatMap, defer, identity, of } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import type { Batch, Lane } from '../model/batch.js';
import type { Checkpointer } from './checkpoint.js';

/** Where marks are kept, and how long one stands. */
export interface ArrivalsConfig {
  readonly checkpointer: Pick<Checkpointer, 'arrivalsOf' | 'arrived'>;
  /** What comes in within this time after a mark is dated by it. */
  readonly everyMs: number;
}

/**
 * Dates what has no date: notes when the records of a lane came in, not oftener than every `everyMs`. A mark begins where
 * nothing was delivered yet, in this run or an earlier one, and is in the checkpoint before anything beyond it is; so a
 * replay gives a record the time that it had.
 *
 * - on error, on complete, on unsubscribe: as the source. Keeps the order; a batch may wait for a checkpoint.
 * - memory: the marks from the lane's settled position on.
 */
export function dated(
  lane: Lane,
  { checkpointer, everyMs }: ArrivalsConfig,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<Batch> {
  const { id, unreadFrom } = lane;
  if (unreadFrom === undefined) return identity;
  return (batches) =>
    defer(() => {
      let next = lane.position;
      return batches.pipe(
        concatMap((batch) => {
          const timeMs = scheduler.now();
          const marks = checkpointer.arrivalsOf(id);
          const last = marks.at(-1);
          const position = Math.max(next, unreadFrom);
          // A clock that was set back must not stop the marks.
          const isDue = last === undefined || Math.abs(timeMs - last.timeMs) >= everyMs;
          const isNew = batch.position > next && position < Infinity && position >= (last?.position ?? 0);
          next = batch.position;
          if (!isDue || !isNew) return of({ ...batch, arrivals: marks });
          const arrivals = [...marks.filter((mark) => mark.position < position), { position, timeMs }];
          return concat(checkpointer.arrived(id, arrivals), of({ ...batch, arrivals }));
        }),
      );
    });
}
