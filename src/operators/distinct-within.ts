import { asyncScheduler, defer, filter } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { KeyWindows } from './key-windows.js';

/** How long, and how many, keys are remembered. */
export interface DistinctConfig<T, K> {
  /** What makes two values the same. Default: the value itself. */
  readonly key?: (value: T) => K;
  /** A repetition within so long of the value that passed is dropped; it does not make it longer. */
  readonly ttlMs: number;
  /** So many keys are remembered; for one more the oldest is forgotten. */
  readonly maxKeys: number;
  /** Hears of every value that is dropped. */
  readonly onDrop?: (value: T) => void;
}

/**
 * Drops repetitions: a value passes when its key has not passed within `ttlMs`. (RxJS's `distinct` remembers every key
 * for ever.)
 * For log events in a pipeline there is the stage `dedupe`: in event time, counted, the same answers after a restart.
 *
 * - never emits a value whose key passed within `ttlMs` and is still remembered.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order; needs no timer.
 * - a key that comes again after it was forgotten passes: too small a `maxKeys` lets repetitions through.
 * - memory: `maxKeys` keys. A throw in `key` or `onDrop` is an error notification.
 *
 * ```marbles
 * source  a-a-b-a-b-a-|
 * > distinctWithin({ ttlMs: 6, maxKeys: 100 })
 * output  a---b-a-----|
 * ```
 *
 * @example
 * ```ts
 * of({ id: 1 }, { id: 2 }, { id: 1 })
 *   .pipe(distinctWithin({ key: ({ id }) => id, ttlMs: 60_000, maxKeys: 10_000 }))
 *   .subscribe((value) => console.log(value));
 * // → { id: 1 }
 * // → { id: 2 }
 * ```
 */
export function distinctWithin<T, K = T>(
  config: DistinctConfig<T, K>,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  const { ttlMs, maxKeys, onDrop } = config;
  const key = config.key ?? ((value: T): unknown => value);
  const windows = (): KeyWindows<unknown> => new KeyWindows({ perMs: ttlMs, max: 1, maxKeys });
  windows();
  return (source) =>
    defer(() => {
      const seen = windows();
      return source.pipe(
        filter((value) => {
          if (seen.admit(key(value), scheduler.now())) return true;
          onDrop?.(value);
          return false;
        }),
      );
    });
}
