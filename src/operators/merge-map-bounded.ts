import { Observable } from 'rxjs';
import type { ObservableInput, ObservedValueOf, OperatorFunction } from 'rxjs';
import { atLeast } from './at-least.js';
import type { QueueLimits } from './bounded-queue.js';
import { mergeWithin } from './merge-within.js';

/** How many run at a time, and how many wait. */
export interface MergeLimits<T> extends QueueLimits<T> {
  /** So many inner Observables run at a time. */
  readonly concurrency: number;
}

/**
 * `mergeMap` whose queue has an end: so many inner Observables at a time, so many values waiting, and a rule for one
 * more. (RxJS's own `mergeMap(project, concurrency)` keeps everything that waits.)
 *
 * - on error: of the source or of an inner Observable: passed on at once, what runs is cancelled, what waits is
 *   dropped. A queue that is full with `overflow: 'error'` is a MILLRACE_E_OPERATOR_OVERFLOW.
 * - on complete: completes when everything that waits and runs is done.
 * - on unsubscribe: what runs is cancelled, what waits is dropped.
 * - starts in the order of the source; emits in the order in which results come. Never runs more than `concurrency`.
 * - memory: `maxQueue` values and `concurrency` subscriptions. A throw in `project` is an error notification.
 *
 * ```marbles
 * source  ab-c-d------------|
 * one     ---r|
 * > mergeMapBounded(() => one, { concurrency: 1, maxQueue: 1, overflow: 'dropNewest', onDrop: (value) => drops.next(value) })
 * output  ---r---r---r------|
 * drops   ---c-
 * ```
 *
 * @example
 * ```ts
 * const save = (order: number) => of(`saved ${order}`).pipe(delay(10));
 * range(1, 5)
 *   .pipe(mergeMapBounded(save, { concurrency: 2, maxQueue: 1, overflow: 'dropNewest', onDrop: (n) => console.log(`no room for ${n}`) }))
 *   .subscribe(console.log);
 * // → no room for 4
 * // → no room for 5
 * // → saved 1
 * // → saved 2
 * // → saved 3
 * ```
 */
export function mergeMapBounded<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
  limits: MergeLimits<T>,
): OperatorFunction<T, ObservedValueOf<O>> {
  const { concurrency } = limits;
  atLeast(1, { concurrency });
  const admits = (running: number): boolean => running < concurrency;
  return (source) =>
    new Observable<ObservedValueOf<O>>((subscriber) => {
      const inner = project as unknown as (value: T, index: number) => ObservableInput<ObservedValueOf<O>>;
      mergeWithin<T, ObservedValueOf<O>>(source, subscriber, { ...limits, project: inner, admits });
    });
}
