import { asyncScheduler, concatMap, defer, EMPTY, from, map, mergeMap, of, takeLast, throwIfEmpty } from 'rxjs';
import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import { isTransient } from '../model/errors.js';
import type { Delivery, Receipt, Sink } from '../model/sink.js';
import { gather } from '../operators/gather.js';
import { orderedMergeMap } from '../operators/ordered-merge-map.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import type { BackoffPolicy } from '../operators/backoff.js';

/** How a leg tries again. */
export interface LegConfig {
  readonly policy: BackoffPolicy;
  /** Tries in a row for an error that nobody classified; then the pipeline ends and is started again. Default 5. */
  readonly maxUnclassifiedTries?: number;
}

/** One way of delivering a lane's events: in lane order, retried alone. */
export type Leg<T> = OperatorFunction<Delivery<T>, Receipt<T>>;

/** A sink gets no further delivery with a run that has as many items … */
const MAX_RUN_ITEMS = 20_000;
/** … and of more than this half of what waits: or everything would wait for one run, and the source for its end. */
const WHOLE_RUN_ITEMS = 2500;

const NOTHING: Receipt<never> = { delivered: 0, duplicates: 0, refused: [] };

/**
 * Delivers one batch after the other, in order. Emits a receipt for each, when the sink has it in its keeping.
 *
 * - on error of the sink: transient errors are tried again without end, with back-off; any other
 *   `maxUnclassifiedTries` times in a row, then it is passed on.
 * - on complete: completes when the last receipt is out. On unsubscribe: a running delivery and wait are cancelled.
 * - a sink that takes several batches of a lane side by side gets them; receipts still come in lane order.
 * - a sink that takes runs gets everything of the lane that came meanwhile; a run is retried as it is, so order stays.
 * - a delivery without items does not reach the sink.
 */
export function leg<T>(
  sink: Sink<T>,
  { policy, maxUnclassifiedTries = 5 }: LegConfig,
  scheduler: SchedulerLike = asyncScheduler,
): Leg<T> {
  const retried = <R>(send: Observable<R>): Observable<R> =>
    send.pipe(
      // The receipt counts when the sink completes: one that fails after it would else answer twice.
      takeLast(1),
      throwIfEmpty(),
      retryBackoff({ ...policy, maxTriesInARow: Infinity, recoverable: isTransient }, scheduler),
      retryBackoff({ ...policy, maxTriesInARow: maxUnclassifiedTries, recoverable: () => true }, scheduler),
    );
  const deliver = (delivery: Delivery<T>): Observable<Receipt<T>> =>
    delivery.items.length === 0 ? of(NOTHING) : retried(defer(() => sink.deliver(delivery)));
  const deliverRun = (run: readonly Delivery<T>[]): Observable<Receipt<T>> => {
    const filled = run.filter(({ items }) => items.length > 0);
    if (sink.deliverRun === undefined || filled.length === 0) return from(run).pipe(concatMap(deliver));
    const receiptsOf = (receipts: readonly Receipt<T>[]): readonly Receipt<T>[] => {
      // One that is missing would be taken for one that says nothing was lost.
      if (receipts.length === filled.length) return receipts;
      throw new TypeError(`a sink gave ${receipts.length} receipts for ${filled.length} deliveries`);
    };
    return retried(defer(() => sink.deliverRun?.(filled) ?? EMPTY).pipe(map(receiptsOf))).pipe(
      mergeMap((receipts) => run.map((delivery) => receipts[filled.indexOf(delivery)] ?? NOTHING)),
    );
  };
  const { inFlightPerLane = 1 } = sink;
  if (sink.deliverRun === undefined) {
    // What waits is bounded by demand.
    return inFlightPerLane === 1
      ? concatMap(deliver)
      : orderedMergeMap(deliver, { concurrency: inFlightPerLane, maxQueue: Infinity });
  }
  return gather(
    { maxSize: MAX_RUN_ITEMS, wholeUpTo: WHOLE_RUN_ITEMS, sizeOf: ({ items }) => items.length + 1 },
    deliverRun,
  );
}
