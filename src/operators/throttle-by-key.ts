import { asyncScheduler, defer, filter } from 'rxjs';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { KeyWindows } from './key-windows.js';

/** How many values of a key pass. */
export interface ThrottleByKeyConfig<T, K> {
  readonly key: (value: T) => K;
  /** The window of a key; it begins with the first value that passes. */
  readonly perMs: number;
  /** So many values of a key pass in its window. Default 1. */
  readonly max?: number;
  /** So many keys are remembered; for one more the oldest window is forgotten. */
  readonly maxKeys: number;
  /** Hears of every value that is dropped. */
  readonly onDrop?: (value: T) => void;
}

/**
 * `throttleTime` for each key: so many values of a key pass in a window that the first of them opens.
 * For log events in a pipeline there is the stage `throttle`: in event time, counted, the same answers after a restart.
 *
 * - on error, on complete, on unsubscribe: as the source. Keeps the order; needs no timer.
 * - never holds a value back to emit it later (no trailing value). A key whose window was forgotten begins anew: too
 *   small a `maxKeys` lets more through.
 * - memory: `maxKeys` keys. A throw in `key` or `onDrop` is an error notification.
 *
 * ```marbles
 * source  aaab-a--a-|
 * > throttleByKey({ key: (value) => value, perMs: 5, max: 2, maxKeys: 100 })
 * output  aa-b-a--a-|
 * ```
 *
 * @example
 * ```ts
 * from(['disk full', 'disk full', 'started', 'disk full'])
 *   .pipe(throttleByKey({ key: (text) => text, perMs: 60_000, maxKeys: 1000, onDrop: (text) => console.log(`once more: ${text}`) }))
 *   .subscribe(console.log);
 * // → disk full
 * // → once more: disk full
 * // → started
 * // → once more: disk full
 * ```
 */
export function throttleByKey<T, K>(
  config: ThrottleByKeyConfig<T, K>,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  const { key, perMs, max = 1, maxKeys, onDrop } = config;
  const windows = (): KeyWindows<K> => new KeyWindows({ perMs, max, maxKeys });
  windows();
  return (source) =>
    defer(() => {
      const open = windows();
      return source.pipe(
        filter((value) => {
          if (open.admit(key(value), scheduler.now())) return true;
          onDrop?.(value);
          return false;
        }),
      );
    });
}
