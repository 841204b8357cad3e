import { asyncScheduler, defer, from, isObservable, Observable, tap } from 'rxjs';
import type { ObservableInput, ObservedValueOf, OperatorFunction, SchedulerLike } from 'rxjs';
import type { LimitRule } from './adaptive-limit.js';
import { atLeast } from './at-least.js';
import type { QueueLimits } from './bounded-queue.js';
import { listen } from './listen.js';
import { mergeWithin } from './merge-within.js';

/** How many may run: a number, numbers that come and go, or a rule that learns from how long the calls take. */
export type Permits = number | Observable<number> | LimitRule;

/**
 * Runs the Observables it is given, no more at a time than there are permits; the number of permits may change while
 * they run. (`mergeAll(n)` with a limit that can move and a queue that has an end.)
 *
 * - on error: of the source, of what runs, or of the limit: passed on, and what runs is cancelled.
 * - on complete: completes when everything that waits and runs is done. The end of the limit changes nothing.
 * - on unsubscribe: what runs is cancelled, what waits is dropped.
 * - before the limit has emitted nothing runs; at 0 nothing new starts; a lower limit cancels nothing that runs.
 * - starts in the order of the source. A learnt limit hears of every task that completes (an error ends the stream).
 * - never emits anything itself: what comes out is what the Observables emit, as they emit it.
 * - memory: `maxQueue` Observables wait; as many subscriptions as permits.
 *
 * ```marbles
 * source  abc---------|
 * limit   1----2-------
 * task    ---r|
 * > map(() => task), semaphore(limit)
 * output  ---r---rr---|
 * ```
 *
 * @example
 * ```ts
 * const limit$ = concat(of(1), timer(15).pipe(map(() => 2)));
 * const job = (name: string) => defer(() => {
 *   console.log(`${name} starts`);
 *   return timer(10).pipe(ignoreElements());
 * });
 * of(job('a'), job('b'), job('c'), job('d')).pipe(semaphore(limit$)).subscribe({ complete: () => console.log('all done') });
 * // → a starts
 * // → b starts
 * // → c starts
 * // → d starts
 * // → all done
 * ```
 */
export function semaphore<O extends ObservableInput<unknown>>(
  permits: Permits,
  limits: QueueLimits<O> = {},
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<O, ObservedValueOf<O>> {
  if (typeof permits === 'number') atLeast(0, { permits });
  return (source) =>
    new Observable<ObservedValueOf<O>>((subscriber) => {
      const rule = typeof permits === 'number' || isObservable(permits) ? undefined : permits;
      let state = rule?.initial;
      let limit = typeof permits === 'number' ? permits : Math.floor(state?.limit ?? 0);
      let running = 0;
      let look = (): void => undefined;
      const task = (each: O): Observable<ObservedValueOf<O>> => {
        const inner = from(each) as Observable<ObservedValueOf<O>>;
        if (rule === undefined) return inner;
        const whenStarted = running;
        return timed(inner, scheduler, (latencyMs) => {
          state = rule.next(state ?? rule.initial, { latencyMs, running: whenStarted, hasFailed: false });
          limit = Math.floor(state.limit);
        });
      };
      // Before the source: a synchronous one would fill the queue before the limit is known.
      if (isObservable(permits)) {
        listen(permits, subscriber, {
          next: (next) => {
            atLeast(0, { permits: next });
            limit = next;
            look();
          },
          complete: () => undefined,
        });
      }
      const admits = (others: number): boolean => {
        running = others + 1;
        return others < limit;
      };
      look = mergeWithin<O, ObservedValueOf<O>>(source, subscriber, { ...limits, project: task, admits });
    });
}

/** The same, and tells how long it took when it completes. */
function timed<T>(inner: Observable<T>, scheduler: SchedulerLike, onEnd: (ms: number) => void): Observable<T> {
  return defer(() => {
    const startedAt = scheduler.now();
    return inner.pipe(tap({ complete: () => onEnd(scheduler.now() - startedAt) }));
  });
}
