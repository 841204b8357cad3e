import { Observable } from 'rxjs';
import type { ObservableInput, ObservedValueOf, OperatorFunction, Subscriber } from 'rxjs';
import { MillraceError } from '../model/errors.js';
import { atLeast } from './at-least.js';
import type { Listener } from './listen.js';
import type { MergeLimits } from './merge-map-bounded.js';
import { mergeWithin } from './merge-within.js';

/** How many run at a time, how many wait, and how many results may wait for their turn. */
export interface OrderedMergeLimits<T> extends MergeLimits<T> {
  /** So many results may wait for an earlier value's; one more is a MILLRACE_E_OPERATOR_OVERFLOW. Default 1024. */
  readonly maxAhead?: number;
}

/** An inner Observable that is running, or has results that wait for their turn. */
interface Place<R> {
  readonly ahead: R[];
  readonly release: () => void;
  isDone: boolean;
}

/** The inner Observables in the order of the source; only the first one emits, the others keep what they have. */
class Order<R> {
  readonly #consumer: Subscriber<R>;
  readonly #places: Place<R>[] = [];
  readonly #maxAhead: number;
  #ahead = 0;
  #isPassing = false;

  constructor(consumer: Subscriber<R>, maxAhead: number) {
    this.#consumer = consumer;
    this.#maxAhead = maxAhead;
  }

  /** Emits the results of the next one when it is its turn, and releases it when it has ended and its turn is over. */
  attend(release: () => void): Listener<R> {
    const place: Place<R> = { ahead: [], release, isDone: false };
    this.#places.push(place);
    return {
      next: (result) => {
        if (this.#places[0] === place && place.ahead.length === 0) this.#consumer.next(result);
        else this.#keep(place, result);
      },
      complete: () => {
        place.isDone = true;
        this.#pass();
      },
    };
  }

  #keep(place: Place<R>, result: R): void {
    if (this.#ahead >= this.#maxAhead) {
      throw new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', `${this.#maxAhead} results wait for an earlier one`);
    }
    this.#ahead++;
    place.ahead.push(result);
  }

  // A loop, because a turn that ends gives the turn to the next one, which may have ended long ago.
  #pass(): void {
    if (this.#isPassing) return;
    this.#isPassing = true;
    for (let first = this.#places[0]; first !== undefined && !this.#consumer.closed; first = this.#places[0]) {
      // What the consumer pushes meanwhile may add to it.
      for (let at = 0; at < first.ahead.length; at++) this.#consumer.next(first.ahead[at] as R);
      this.#ahead -= first.ahead.length;
      first.ahead.length = 0;
      if (!first.isDone) break;
      this.#places.shift();
      first.release();
    }
    this.#isPassing = false;
  }
}

/**
 * `mergeMap` that keeps the order: inner Observables run side by side, results come out in the order of the source.
 * (Reactor's `flatMapSequential`, RxJava's `concatMapEager`.)
 *
 * - on error: of the source or of an inner Observable: passed on at once, before results that wait for their turn.
 * - on complete: completes when everything that waits and runs is done.
 * - on unsubscribe: what runs is cancelled, what waits is dropped.
 * - never has more than `concurrency` inner Observables that run or wait for their turn, so a slow one holds up the
 *   start of new ones.
 * - memory: `maxQueue` values, `maxAhead` results, `concurrency` subscriptions. A throw in `project` is an error
 *   notification.
 *
 * ```marbles
 * source  ab-c---------|
 * long    -----x|
 * short   -y|
 * > orderedMergeMap((value) => (value === 'a' ? long : short), { concurrency: 3 })
 * output  -----x(yy)---|
 * ```
 *
 * @example
 * ```ts
 * of(30, 10, 20)
 *   .pipe(orderedMergeMap((ms) => of(ms).pipe(delay(ms)), { concurrency: 3 }))
 *   .subscribe(console.log);
 * // → 30
 * // → 10
 * // → 20
 * ```
 */
export function orderedMergeMap<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
  limits: OrderedMergeLimits<T>,
): OperatorFunction<T, ObservedValueOf<O>> {
  const { concurrency, maxAhead = 1024 } = limits;
  atLeast(1, { concurrency });
  atLeast(0, { maxAhead });
  const admits = (running: number): boolean => running < concurrency;
  return (source) =>
    new Observable<ObservedValueOf<O>>((subscriber) => {
      const order = new Order<ObservedValueOf<O>>(subscriber, maxAhead);
      const inner = project as unknown as (value: T, index: number) => ObservableInput<ObservedValueOf<O>>;
      const attend = order.attend.bind(order);
      mergeWithin<T, ObservedValueOf<O>>(source, subscriber, { ...limits, project: inner, admits, attend });
    });
}
