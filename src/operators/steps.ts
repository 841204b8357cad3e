import { Observable } from 'rxjs';
import type { Subscription } from 'rxjs';

/** A routine that waits for Observables: `const size = yield* wait(stat$)`. */
export type Routine<R = void> = Generator<Observable<unknown>, R, unknown>;

/** Waits until the Observable completes; gives its last value, undefined if it had none; throws its error. */
export function* wait<T>(source: Observable<T>): Routine<T> {
  return (yield source) as T;
}

/**
 * Runs a routine of several steps as an Observable: each step waits for the Observable it yields. What reads as one
 * thing after the other stays cancellable, and its clock is the scheduler of the Observables it waits for.
 *
 * - on error: an error of a step is thrown inside the routine; what the routine does not catch is passed on.
 * - on complete: completes when the routine returns. On unsubscribe: the running step is unsubscribed and the
 *   routine's `finally` blocks run (they must not wait).
 * - emits what the routine hands to `emit`. Steps that end synchronously do not deepen the stack. Memory: one step.
 *
 * @example
 * ```ts
 * const total$ = steps<number>(function* (emit) {
 *   emit((yield* wait(first$)) + (yield* wait(second$)));
 * });
 * ```
 */
export function steps<T>(routine: (emit: (value: T) => void) => Routine): Observable<T> {
  return new Observable((subscriber) => {
    const run = routine((value) => subscriber.next(value));
    let step: Subscription | undefined;

    const advance = (first: () => IteratorResult<Observable<unknown>, void>): void => {
      let resume: (() => IteratorResult<Observable<unknown>, void>) | undefined = first;
      while (resume !== undefined && !subscriber.closed) {
        let result: IteratorResult<Observable<unknown>, void>;
        try {
          result = resume();
        } catch (error) {
          subscriber.error(error);
          return;
        }
        if (result.done === true) {
          subscriber.complete();
          return;
        }
        resume = follow(result.value);
      }
    };

    /** Subscribes to a step. Gives how to go on if it has ended at once; else goes on when it ends. */
    const follow = (source: Observable<unknown>): (() => IteratorResult<Observable<unknown>, void>) | undefined => {
      let value: unknown;
      let isWaiting = false;
      let ended: (() => IteratorResult<Observable<unknown>, void>) | undefined;
      const end = (resume: () => IteratorResult<Observable<unknown>, void>): void => {
        if (isWaiting) advance(resume);
        else ended = resume;
      };
      // A routine may be unsubscribed inside its own emit; then there is nothing left to wait for.
      if (subscriber.closed) return undefined;
      step = source.subscribe({
        next: (latest) => (value = latest),
        error: (error: unknown) => end(() => run.throw(error)),
        complete: () => end(() => run.next(value)),
      });
      isWaiting = true;
      return ended;
    };

    subscriber.add(() => {
      step?.unsubscribe();
      stop(run);
    });
    advance(() => run.next());
  });
}

/** Runs the `finally` blocks, unless the routine itself is what is unsubscribing. */
function stop(run: Routine): void {
  try {
    run.return();
  } catch {
    // "already running": it stops by itself at its next step.
  }
}
