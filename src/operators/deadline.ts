import { Observable } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { listen } from './listen.js';

/** Errors when the source has not ended after so long, whatever it emitted. */
export function deadline<T>(
  maxMs: number,
  errorOf: () => unknown,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      subscriber.add(scheduler.schedule(() => subscriber.error(errorOf()), maxMs));
      listen(source, subscriber, {
        next: (value) => subscriber.next(value),
        complete: () => subscriber.complete(),
      });
    });
}
