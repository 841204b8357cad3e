import { exhaustMap, tap } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { steps, wait } from './steps.js';

/**
 * Group commit that is work-conserving: a signal starts `work` at once when it is idle; what arrives while it runs is
 * the next run, which starts as soon as this one has ended and `hasMore` says so. Never two at a time, never a timer.
 *
 * - emits what `work` emits; on error of `work`: passed on, and the signals are unsubscribed.
 * - on complete of the signals: completes when the running work has. On unsubscribe: the running work is cancelled.
 * - memory: none; what waits is kept where `hasMore` looks.
 *
 * @example
 * ```ts
 * arrivals$.pipe(workWhile(() => queue.length > 0, defer(() => send(queue.splice(0)))))
 * ```
 */
export function workWhile<R>(hasMore: () => boolean, work: Observable<R>): OperatorFunction<unknown, R> {
  // Not `repeat`: each run that ends synchronously would deepen its stack.
  const all = steps<R>(function* (emit) {
    do yield* wait(work.pipe(tap(emit)));
    while (hasMore());
  });
  return exhaustMap(() => all);
}
