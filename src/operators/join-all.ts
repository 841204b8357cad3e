import { asyncScheduler, from, Observable } from 'rxjs';
import type { ObservableInput, ObservableInputTuple, SchedulerLike } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { atLeast } from './at-least.js';
import { deadline } from './deadline.js';
import { listen } from './listen.js';

/** How long to wait, and what the first error does. */
export interface JoinAllConfig {
  /** So long for all together; then a MILLRACE_E_OPERATOR_TIMEOUT that says which are missing. Default: no limit. */
  readonly maxMs?: number;
  /**
   * `cancel` (default): the first error cancels the others. `wait`: the others go on, and the first error comes when
   * all have ended.
   */
  readonly onError?: 'cancel' | 'wait';
}

/**
 * Runs all of them and waits until every one has ended, as a WaitGroup does; then emits their last values, in the order
 * of the list. (RxJS's `forkJoin` completes without a word when one of them is empty.)
 *
 * - on error: of one: the others are cancelled and it is passed on; with `onError: 'wait'` after the others have ended.
 *   When the time is up: what runs is cancelled, MILLRACE_E_OPERATOR_TIMEOUT with the places of those that are missing.
 * - on complete: one array, then complete; a source without a value has `undefined`. No sources: `[]` at once.
 * - never emits a value before all have ended.
 * - on unsubscribe: all that run are cancelled. Memory: one value for each source.
 *
 * ```marbles
 * a       -1--2|
 * b       --x|
 * c       |
 * > joinAll([a, b, c])
 * output  -----(r|)
 * where   r: [2, 'x', undefined]
 * ```
 *
 * ```marbles
 * a       -----|
 * b       --#
 * > joinAll([a, b])
 * output  --#
 * a.subs  ^-!
 * ```
 *
 * @example
 * ```ts
 * joinAll([of('lines'), timer(20).pipe(map(() => 'index'))], { maxMs: 1000 }).subscribe((done) => console.log(done));
 * // → [ 'lines', 'index' ]
 * ```
 */
export function joinAll<A extends readonly unknown[]>(
  sources: readonly [...ObservableInputTuple<A>],
  config: JoinAllConfig = {},
  scheduler: SchedulerLike = asyncScheduler,
): Observable<{ [K in keyof A]: A[K] | undefined }> {
  const { maxMs = Infinity, onError = 'cancel' } = config;
  atLeast(0, { maxMs });
  return new Observable((consumer) => {
    const missing = new Set(sources.keys());
    const joined = join(sources, missing, onError === 'wait') as Observable<{ [K in keyof A]: A[K] | undefined }>;
    const late = (): unknown =>
      new MillraceError('MILLRACE_E_OPERATOR_TIMEOUT', `${maxMs} ms; missing: ${[...missing].join(', ')}`);
    return (maxMs === Infinity ? joined : joined.pipe(deadline(maxMs, late, scheduler))).subscribe(consumer);
  });
}

function join(sources: readonly unknown[], missing: Set<number>, isPatient: boolean): Observable<unknown[]> {
  return new Observable((subscriber) => {
    const values = sources.map((): unknown => undefined);
    let failure: { readonly error: unknown } | undefined;
    const end = (at: number): void => {
      missing.delete(at);
      if (missing.size > 0) return;
      if (failure !== undefined) {
        subscriber.error(failure.error);
        return;
      }
      subscriber.next(values);
      subscriber.complete();
    };
    if (sources.length === 0) {
      subscriber.next([]);
      subscriber.complete();
    }
    sources.forEach((source, at) => {
      if (subscriber.closed) return;
      listen(from(source as ObservableInput<unknown>), subscriber, {
        next: (value) => (values[at] = value),
        error: (error) => {
          if (!isPatient) subscriber.error(error);
          failure ??= { error };
          end(at);
        },
        complete: () => end(at),
      });
    });
  });
}
