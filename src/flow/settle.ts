import { concatMap, connect, map, zip } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import type { Batch, Lane } from '../model/batch.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { LogEvent } from '../model/event.js';
import type { Json } from '../model/json.js';
import type { Delivery, Receipt } from '../model/sink.js';
import type { Leg } from './leg.js';
import { addCounts, noCounts } from './ledger.js';
import type { Counts, Ledger } from './ledger.js';
import type { Transform, Transformed } from './transform.js';

/** A leg in its place: what it is called, and which route's events it delivers. */
export interface PlacedLeg {
  readonly name: string;
  /** Index of its route in the transform. */
  readonly route: number;
  readonly deliver: Leg<LogEvent>;
}

/** A batch that is done with: every record of it is in every leg's keeping, filtered, or a dead letter. */
export interface Settled {
  readonly lane: string;
  readonly position: number;
  readonly state: Json;
  readonly bytes: number;
  readonly ledger: Ledger;
}

/** What happens to the batches of a lane. */
export interface SettleConfig {
  readonly transform: Transform;
  readonly legs: readonly PlacedLeg[];
  readonly deadLetters: Leg<DeadLetter>;
}

/** A batch that every leg has answered for. */
interface Answered {
  readonly done: Transformed;
  readonly receipts: readonly Receipt[];
  readonly deadLetters: readonly DeadLetter[];
}

/** Everything of the batch that became a dead letter, in the order of the records. */
function deadLettersOf(done: Transformed, receipts: readonly Receipt[]): DeadLetter[] {
  const refused = receipts.flatMap((receipt) =>
    receipt.refused.map(({ item, reason }) => ({
      origin: item.origin,
      record: item.record,
      index: item.index,
      reason,
    })),
  );
  const rejected = [done.common, ...done.routes.map((route) => route.tally)].flatMap((tally) => tally.deadLetters);
  if (rejected.length + refused.length < 2) return [...rejected, ...refused];
  return [...rejected, ...refused].sort((a, b) => a.record.offset - b.record.offset || a.index - b.index);
}

function ledgerOf({ done, receipts, deadLetters }: Answered, legs: readonly PlacedLeg[]): Ledger {
  const read = done.read;
  const byLeg = legs.map(({ name, route }, at): readonly [string, Counts] => {
    const tallies = [done.common, ...(done.routes[route] === undefined ? [] : [done.routes[route].tally])];
    const receipt = receipts[at];
    const sum = (count: (tally: (typeof tallies)[number]) => number): number =>
      tallies.reduce((total, tally) => total + count(tally), 0);
    return [
      name,
      {
        read,
        expanded: sum((tally) => tally.expandedCount),
        filtered: sum((tally) => tally.filteredCount),
        delivered: receipt?.delivered ?? 0,
        deadLettered: sum((tally) => tally.deadLetters.length) + (receipt?.refused.length ?? 0),
        duplicates: receipt?.duplicates ?? 0,
      },
    ];
  });
  const expanded = [done.common, ...done.routes.map((route) => route.tally)].reduce(
    (total, tally) => total + tally.expandedCount,
    0,
  );
  const outcomes = byLeg.reduce((total, [, counts]) => addCounts(total, counts), noCounts);
  return {
    total: { ...outcomes, read, expanded, deadLettered: deadLetters.length },
    legs: Object.fromEntries(byLeg),
  };
}

/**
 * Completion is the acknowledgement. Each batch is transformed once; every leg delivers what came out, in its own
 * time; the batch has settled when all legs have it, and positions come out in lane order.
 *
 * - on error: a leg that gives up ends the lane with its error; nothing after the last settled position counts.
 * - on complete: completes when the last batch has settled. On unsubscribe: transform, deliveries and waits are
 *   cancelled; nothing is lost that was not acknowledged.
 * - memory: the batches between the slowest leg and the source, which demand bounds.
 *
 * @example
 * ```ts
 * const lane = laneOf('app', of(batchOf(['ERROR|a', 'INFO|b'])));
 * const policy = { initialMs: 100 };
 * const stages = [parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }), keep({ level: ['ERROR'] })];
 * lane.batches
 *   .pipe(
 *     settle(lane, {
 *       transform: transform(stages, [{ name: 'all', stages: [] }]),
 *       legs: [{ name: 'all', route: 0, deliver: leg(new RecordingSink(), { policy }) }],
 *       deadLetters: leg(new RecordingSink(), { policy }),
 *     }),
 *   )
 *   .subscribe(({ position, ledger }) => console.log(position, ledger.total));
 * // → 2 { read: 2, expanded: 0, filtered: 1, delivered: 1, deadLettered: 0, duplicates: 0 }
 * ```
 */
export function settle(lane: Lane, { transform, legs, deadLetters }: SettleConfig): OperatorFunction<Batch, Settled> {
  const toLeg =
    ({ route }: PlacedLeg) =>
    (done: Transformed): Delivery => ({
      lane: lane.id,
      position: done.position,
      items: done.routes[route]?.events ?? [],
    });

  return (batches) =>
    batches.pipe(
      concatMap((batch) => transform(lane, batch)),
      // zip waits for the slowest leg; what the others have finished meanwhile is held against the budget.
      connect((transformed) =>
        zip(transformed, ...legs.map((leg) => transformed.pipe(map(toLeg(leg)), leg.deliver))).pipe(
          map(([done, ...receipts]): Answered => ({ done, receipts, deadLetters: deadLettersOf(done, receipts) })),
        ),
      ),
      settleDeadLetters(lane, deadLetters),
      map((answered): Settled => {
        const { position, state, bytes } = answered.done;
        return { lane: lane.id, position, state, bytes, ledger: ledgerOf(answered, legs) };
      }),
    );
}

/** Dead letters belong to the acknowledgement, whatever stage or sink they come from. */
function settleDeadLetters(lane: Lane, deliver: Leg<DeadLetter>): OperatorFunction<Answered, Answered> {
  return (all) =>
    all.pipe(
      connect((shared): Observable<Answered> =>
        zip(
          shared,
          shared.pipe(
            map(({ done, deadLetters }) => ({
              lane: lane.id,
              position: done.position,
              items: deadLetters,
            })),
            deliver,
          ),
        ).pipe(map(([answered]) => answered)),
      ),
    );
}
