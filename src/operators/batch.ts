import { asyncScheduler, Observable, Subject, Subscription, takeUntil } from 'rxjs';
import type { OperatorFunction, SchedulerLike } from 'rxjs';

/** When a batch is full. At least one of the limits should be given; without any, there is one batch: everything. */
export interface BatchConfig<T> {
  /** A batch goes out when its first element has waited this long. */
  readonly maxWaitMs?: number;
  /** A batch goes out when it has this many elements. */
  readonly maxCount?: number;
  /** A batch goes out before it would take more than this, as `bytesOf` tells. A larger element goes alone. */
  readonly maxBytes?: number;
  /** The size of an element in bytes. Needed with `maxBytes`. */
  readonly bytesOf?: (element: T) => number;
}

/**
 * Collects elements into arrays by time, count and bytes, and loses none: what `bufferTime` does where records are at
 * stake.
 *
 * - on error: the elements collected so far come out first, then the error.
 * - on complete: the elements collected so far come out, then it completes.
 * - on unsubscribe: the timer is cancelled; what was collected is dropped with the subscription.
 * - never emits an empty array; keeps the order; the timer is armed by the first element of a batch.
 * - memory: one batch. A throw in `bytesOf` is an error notification.
 *
 * ```marbles
 * source  -a-b-c-----d---|
 * > batch({ maxWaitMs: 4, maxCount: 2 })
 * output  ---x-----y-----(z|)
 * where   x: ['a', 'b'], y: ['c'], z: ['d']
 * ```
 *
 * @example
 * ```ts
 * from(['a', 'b', 'c'])
 *   .pipe(
 *     batch({ maxWaitMs: 200, maxCount: 2 }),
 *     concatMap((lines) => of(`inserted ${lines.join(' ')}`)),
 *   )
 *   .subscribe(console.log);
 * // → inserted a b
 * // → inserted c
 * ```
 */
export function batch<T>(
  config: BatchConfig<T>,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, readonly T[]> {
  const { maxWaitMs = Infinity, maxCount = Infinity, maxBytes = Infinity, bytesOf = () => 0 } = config;
  return (source) =>
    new Observable((subscriber) => {
      let elements: T[] = [];
      let bytes = 0;
      const timer = new Subscription();
      let armed: Subscription | undefined;
      subscriber.add(timer);

      const disarm = (): void => {
        if (armed === undefined) return;
        armed.unsubscribe();
        timer.remove(armed);
        armed = undefined;
      };
      // Taken away before it goes out: a consumer may push the next element while it holds this batch.
      const cut = (): readonly T[] => {
        disarm();
        const full = elements;
        elements = [];
        bytes = 0;
        return full;
      };
      const flush = (): void => {
        if (elements.length > 0) subscriber.next(cut());
      };
      const take = (element: T, size: number): void => {
        const full = elements.length > 0 && bytes + size > maxBytes ? cut() : undefined;
        elements.push(element);
        bytes += size;
        // Only now, so that an element that the consumer pushes meanwhile comes after this one.
        if (full !== undefined) subscriber.next(full);
        if (elements.length >= maxCount || bytes >= maxBytes) flush();
        else if (elements.length > 0 && armed === undefined && maxWaitMs !== Infinity) {
          armed = scheduler.schedule(flush, maxWaitMs);
          timer.add(armed);
        }
      };

      // A synchronous source is still inside `subscribe` when the consumer leaves: this is what stops it.
      const left = new Subject<void>();
      subscriber.add(() => left.next());
      return source.pipe(takeUntil(left)).subscribe({
        next: (element) => {
          let size: number;
          try {
            size = bytesOf(element);
          } catch (error) {
            flush();
            subscriber.error(error);
            return;
          }
          take(element, size);
        },
        error: (error: unknown) => {
          flush();
          subscriber.error(error);
        },
        complete: () => {
          flush();
          subscriber.complete();
        },
      });
    });
}
