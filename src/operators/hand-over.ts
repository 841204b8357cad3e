import { Observable } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { atLeast } from './at-least.js';
import { BoundedQueue } from './bounded-queue.js';
import type { QueueLimits } from './bounded-queue.js';
import { listen } from './listen.js';

/**
 * Hands values on while there is credit; what nobody has asked for yet waits in a bounded queue. The rules of Reactive
 * Streams: credits add up, `Infinity` is no limit, and a credit that is not a positive whole number is an error.
 */
export function handOver<T>(demand: Observable<number>, limits: QueueLimits<T>): MonoTypeOperatorFunction<T> {
  const { maxQueue = 0 } = limits;
  atLeast(0, { maxQueue });
  return (source) =>
    new Observable((subscriber) => {
      const waiting = new BoundedQueue<T>(limits);
      let credit = 0;
      let isLastCredit = false;
      let end: (() => void) | undefined;
      let isDraining = false;

      // A loop, because the consumer asks for more while it is handed a value.
      const drain = (): void => {
        if (isDraining) return;
        isDraining = true;
        while (credit > 0 && waiting.size > 0 && !subscriber.closed) {
          credit--;
          subscriber.next(waiting.shift());
        }
        isDraining = false;
        if (waiting.size === 0) end?.();
        // Nobody can ask for more.
        if (isLastCredit && credit === 0) subscriber.complete();
      };
      const endWith = (notify: () => void): void => {
        end = notify;
        drain();
      };

      subscriber.add(() => waiting.clear());
      // First, so that the credit of a synchronous demand is there for a synchronous source.
      listen(demand, subscriber, {
        next: (count) => {
          if (!(count >= 1) || (count !== Infinity && !Number.isInteger(count))) {
            throw new MillraceError('MILLRACE_E_OPERATOR_DEMAND', String(count));
          }
          credit += count;
          drain();
        },
        complete: () => {
          isLastCredit = true;
          drain();
        },
      });
      listen(source, subscriber, {
        next: (value) => {
          if (credit > 0 && waiting.size === 0) {
            credit--;
            subscriber.next(value);
            if (isLastCredit && credit === 0) subscriber.complete();
          } else waiting.push(value);
        },
        error: (error) => endWith(() => subscriber.error(error)),
        complete: () => endWith(() => subscriber.complete()),
      });
    });
}
