import { Observable } from 'rxjs';
import type { OperatorFunction, Subscription } from 'rxjs';

/** How much a run may be. */
export interface GatherConfig<T> {
  /** A run takes values until their sizes add up to this, and at least one. */
  readonly maxSize: number;
  readonly sizeOf: (value: T) => number;
  /**
   * Of more than this only half is taken, so that the source, which is held back while too much is on its way, goes on
   * during the run. Default: `maxSize`.
   */
  readonly wholeUpTo?: number;
}

/**
 * Work-conserving: a value that comes when nothing runs is projected at once; what comes meanwhile is the next run, in
 * order, up to `maxSize`. Never two runs at a time, never a timer.
 *
 * - on error of the source or a run: passed on. On complete: when the last run has completed.
 * - on unsubscribe: the run is cancelled, what waits is dropped.
 * - memory: what waits; whoever feeds it must bound that (demand does).
 *
 * @example
 * ```ts
 * deliveries$.pipe(gather({ maxSize: 10_000, sizeOf: ({ items }) => items.length }, (run) => sink.deliverRun(run)))
 * ```
 */
export function gather<T, R>(
  { maxSize, sizeOf, wholeUpTo = maxSize }: GatherConfig<T>,
  project: (run: readonly T[]) => Observable<R>,
): OperatorFunction<T, R> {
  const next = (waiting: T[]): T[] => {
    const all = waiting.reduce((sum, value) => sum + sizeOf(value), 0);
    const limit = Math.min(maxSize, Math.max(wholeUpTo, all / 2));
    let count = 0;
    for (let size = 0; count < waiting.length && size < limit; count++) size += sizeOf(waiting[count] as T);
    return waiting.splice(0, count);
  };
  return (source) =>
    new Observable((subscriber) => {
      const waiting: T[] = [];
      let running: Subscription | undefined;
      let isRunning = false;
      let hasEnded = false;

      const advance = (): void => {
        if (isRunning) return;
        isRunning = true;
        // Runs that end synchronously must not deepen the stack.
        while (waiting.length > 0 && !subscriber.closed) {
          let isDone = false;
          let isWaiting = false;
          running = project(next(waiting)).subscribe({
            next: (value) => subscriber.next(value),
            error: (error: unknown) => subscriber.error(error),
            complete: () => {
              isDone = true;
              if (!isWaiting) return;
              isRunning = false;
              advance();
            },
          });
          isWaiting = true;
          // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set by the callback
          if (!isDone) return;
        }
        isRunning = false;
        if (hasEnded) subscriber.complete();
      };
      subscriber.add(() => running?.unsubscribe());
      subscriber.add(
        source.subscribe({
          next: (value) => {
            waiting.push(value);
            advance();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            hasEnded = true;
            advance();
          },
        }),
      );
    });
}
