import { combineLatest, concatMap, EMPTY, map, merge, of, takeLast, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Json } from '../model/json.js';
import type { Delivery, Receipt, Sink, SinkCapture, SinkContext, SinkResource } from '../model/sink.js';

/** The names of the two sinks in what is captured. */
const FIRST = 'first';
const SECOND = 'second';

/**
 * A sink whose refused items go to another one: nothing is left that nobody has. What the second refuses is refused.
 *
 * - a delivery that is tried again because the second failed does not reach the first again.
 * - memory: the first one's receipts of the deliveries that are under way.
 */
export function refusedTo<T>(first: SinkResource<T>, second: SinkResource<T>): SinkResource<T> {
  return {
    name: first.name,
    open: (context) =>
      combineLatest([
        first.open(contextOf(context, first.name, FIRST)),
        second.open(contextOf(context, second.name, SECOND)),
      ]).pipe(map(([one, other]) => new Both(one, other))),
  };
}

function contextOf(context: SinkContext, name: string, part: string): SinkContext {
  const { saved } = context;
  const isBoth = typeof saved === 'object' && saved !== null && !Array.isArray(saved);
  return {
    ...context,
    saved: isBoth ? (saved as Readonly<Record<string, Json>>)[part] : undefined,
    report: (notice) => context.report({ ...notice, message: `${name}: ${notice.message}` }),
  };
}

class Both<T> implements Sink<T> {
  readonly #first: Sink<T>;
  readonly #second: Sink<T>;
  readonly #answers = new WeakMap<Delivery<T>, Receipt<T>>();

  constructor(first: Sink<T>, second: Sink<T>) {
    this.#first = first;
    this.#second = second;
  }

  get usesArrivals(): true | undefined {
    return this.#first.usesArrivals ?? this.#second.usesArrivals;
  }

  deliver(delivery: Delivery<T>): Observable<Receipt<T>> {
    const answer = this.#answers.get(delivery);
    const first =
      answer === undefined
        ? this.#first.deliver(delivery).pipe(
            takeLast(1),
            tap((receipt) => this.#answers.set(delivery, receipt)),
          )
        : of(answer);
    return first.pipe(concatMap((receipt) => this.#deliverRefused(delivery, receipt)));
  }

  #deliverRefused(delivery: Delivery<T>, receipt: Receipt<T>): Observable<Receipt<T>> {
    if (receipt.refused.length === 0) return of(receipt);
    return this.#second.deliver({ ...delivery, items: receipt.refused.map(({ item }) => item) }).pipe(
      takeLast(1),
      map((rest) => ({
        delivered: receipt.delivered + rest.delivered,
        duplicates: receipt.duplicates + rest.duplicates,
        refused: rest.refused,
      })),
    );
  }

  capture(settled: ReadonlyMap<string, number>): SinkCapture {
    const parts = [
      [FIRST, this.#first.capture?.(settled)],
      [SECOND, this.#second.capture?.(settled)],
    ] as const;
    const captured = parts.flatMap(([part, capture]) => (capture === undefined ? [] : [[part, capture] as const]));
    return {
      state: Object.fromEntries(captured.map(([part, { state }]) => [part, state])),
      sync: merge(...captured.map(([, { sync }]) => sync)),
      saved: () => {
        for (const [, { saved }] of captured) saved?.();
      },
    };
  }

  finish(): Observable<never> {
    return merge(this.#first.finish?.() ?? EMPTY, this.#second.finish?.() ?? EMPTY);
  }
}
