import { from } from 'rxjs';
import type { Observable, ObservableInput, Subscriber } from 'rxjs';
import { BoundedQueue } from './bounded-queue.js';
import type { QueueLimits } from './bounded-queue.js';
import { listen } from './listen.js';
import type { Listener } from './listen.js';

/** How values become inner Observables, and when one more may run. */
export interface Merging<T, R> extends QueueLimits<T> {
  readonly project: (value: T, index: number) => ObservableInput<R>;
  /** Whether one more may start while so many are running. */
  readonly admits: (running: number) => boolean;
  /** What is done with the results of one; it counts as running until `release` is called. Default: passed on. */
  readonly attend?: (release: () => void) => Listener<R>;
}

/**
 * Runs an inner Observable for each value of a source, no more at a time than are admitted; what cannot run waits in a
 * bounded queue. Gives a function that has to be called when more may be admitted than before.
 */
export function mergeWithin<T, R>(
  source: Observable<T>,
  subscriber: Subscriber<R>,
  merging: Merging<T, R>,
): () => void {
  const { project, admits, attend } = merging;
  const waiting = new BoundedQueue<T>(merging);
  let index = 0;
  let running = 0;
  let hasEnded = false;
  let isStarting = false;

  const release = (): void => {
    running--;
    look();
  };
  const start = (value: T): void => {
    running++;
    const inner = from(project(value, index++));
    listen(inner, subscriber, attend?.(release) ?? { next: (result) => subscriber.next(result), complete: release });
  };
  // A loop, because each one that ends at once lets the next one start: a recursion would be as deep as the queue.
  const look = (): void => {
    if (isStarting) return;
    isStarting = true;
    try {
      while (waiting.size > 0 && !subscriber.closed && admits(running)) start(waiting.shift());
    } catch (error) {
      subscriber.error(error);
    }
    isStarting = false;
    if (hasEnded && running === 0 && waiting.size === 0) subscriber.complete();
  };

  subscriber.add(() => waiting.clear());
  listen(source, subscriber, {
    next: (value) => {
      if (waiting.size === 0 && admits(running)) start(value);
      else waiting.push(value);
    },
    complete: () => {
      hasEnded = true;
      look();
    },
  });
  return look;
}
