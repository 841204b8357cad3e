import { merge, Observable, Subject } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { listen } from './listen.js';

/** A way that some values take. */
export interface Way<T, R> {
  readonly when: (value: T) => boolean;
  readonly through: (values: Observable<T>) => Observable<R>;
}

/**
 * Sends each value the first way whose condition holds, and merges what comes out. A value for which none holds passes
 * on as it is.
 *
 * - on error: of the source, of a way, or a throw in a condition: passed on, and the other ways are unsubscribed.
 * - on complete: each way completes, and it does when all of them have. On unsubscribe: so are the ways.
 * - a value goes one way only; within a way the order is kept, between ways it is when they are synchronous.
 * - never emits a value itself that went a way.
 * - a way that completes early drops what comes its way later. Memory: that of the ways.
 *
 * ```marbles
 * source  -a-b-c-|
 * > route([{ when: (value) => value === 'b', through: delay(3) }, { when: (value) => value === 'c', through: map(() => 'x') }])
 * output  -a---xb|
 * ```
 *
 * @example
 * ```ts
 * of(3, -4, 0)
 *   .pipe(
 *     route([
 *       { when: (n) => n < 0, through: map((n) => `${-n} out`) },
 *       { when: (n) => n > 0, through: map((n) => `${n} in`) },
 *     ]),
 *   )
 *   .subscribe(console.log);
 * // → 3 in
 * // → 4 out
 * // → 0
 * ```
 */
export function route<T, R>(ways: readonly Way<T, R>[]): OperatorFunction<T, T | R> {
  return (source) =>
    // Not `connect`: it does not stop a synchronous source when the consumer has left.
    new Observable((subscriber) => {
      const entrances = ways.map(() => new Subject<T>());
      const rest = new Subject<T>();
      const all = [...entrances, rest];
      const exits = ways.map(({ through }, at): Observable<T | R> => through(entrances[at] ?? rest));
      merge(...exits, rest).subscribe(subscriber);
      listen(source, subscriber, {
        next: (value) => (entrances[ways.findIndex(({ when }) => when(value))] ?? rest).next(value),
        error: (error) => {
          // Passed on as it is, whatever was thrown.
          // eslint-disable-next-line rxjs-x/throw-error
          for (const entrance of all) entrance.error(error);
        },
        complete: () => {
          for (const entrance of all) entrance.complete();
        },
      });
    });
}
