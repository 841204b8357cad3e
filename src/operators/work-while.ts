import { EMPTY, exhaustMap, of, repeat } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';

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
  const all = work.pipe(repeat({ delay: () => (hasMore() ? of(true) : EMPTY) }));
  return exhaustMap(() => all);
}
