import { MillraceError } from '../model/errors.js';
import { nothing } from './machine.js';
import type { Machine } from './machine.js';
import { onlyKey } from './panes.js';
import type { Key } from './panes.js';
import { Recent } from './recent.js';
import type { Reducer } from './reducers.js';

/** The value of some elements of one key that follow each other. */
export interface CountResult<K, R> {
  readonly key: K;
  /** 0 for the key's first window, and so on; from 0 again when the key had been forgotten. */
  readonly index: number;
  /** How many elements: less than asked for when the key was forgotten, or the source completed. */
  readonly count: number;
  readonly value: R;
}

export interface CountsConfig<T, A, R, K extends Key> {
  readonly count: number;
  readonly reducer: Reducer<T, A, R>;
  readonly keyOf?: ((element: T) => K) | undefined;
  readonly maxKeys?: number | undefined;
  readonly ttlMs?: number | undefined;
}

/** The open windows as they can be saved, the key seen last at the end. */
export interface CountsState<A, K> {
  readonly version: 1;
  readonly count: number;
  readonly keys: readonly (readonly [key: K, index: number, count: number, accumulator: A])[];
}

interface Counted<A> {
  index: number;
  count: number;
  accumulator: A;
  seenAtMs: number;
}

/** Keyed windows of so many elements. */
export class CountsMachine<T, A, R, K extends Key> implements Machine<T, CountResult<K, R>> {
  readonly usesClock: boolean;
  readonly #reducer: Reducer<T, A, R>;
  readonly #keyOf: (element: T) => K;
  readonly #count: number;
  readonly #ttlMs: number;
  readonly #keys: Recent<K, Counted<A>>;

  constructor(config: CountsConfig<T, A, R, K>, nowMs: number, saved?: CountsState<A, K>) {
    const { count, reducer, keyOf = onlyKey as () => K, maxKeys = 10_000, ttlMs } = config;
    if (!(count >= 1)) throw new MillraceError('MILLRACE_E_CONFIG_INVALID', `a window has no ${count} elements`);
    this.usesClock = ttlMs !== undefined;
    this.#reducer = reducer;
    this.#keyOf = keyOf;
    this.#count = count;
    this.#ttlMs = ttlMs ?? Infinity;
    this.#keys = new Recent(maxKeys);
    if (saved === undefined) return;
    if (saved.count !== count) throw new MillraceError('MILLRACE_E_STATE_UNFIT', `${saved.count} is not ${count}`);
    for (const [key, index, size, accumulator] of saved.keys) {
      this.#keys.add(key, { index, count: size, accumulator, seenAtMs: nowMs });
    }
  }

  next(element: T, nowMs: number): readonly CountResult<K, R>[] {
    const key = this.#keyOf(element);
    let counted = this.#keys.see(key);
    let forgotten: readonly CountResult<K, R>[] = nothing;
    if (counted === undefined) {
      counted = { index: 0, count: 0, accumulator: this.#reducer.create(), seenAtMs: nowMs };
      const gone = this.#keys.add(key, counted);
      if (gone !== undefined) forgotten = this.#closed(gone);
    }
    counted.seenAtMs = nowMs;
    counted.accumulator = this.#reducer.add(counted.accumulator, element);
    counted.count++;
    if (counted.count < this.#count) return forgotten;
    const full = this.#closed([key, counted]);
    counted.index++;
    counted.count = 0;
    counted.accumulator = this.#reducer.create();
    return forgotten.length === 0 ? full : [...forgotten, ...full];
  }

  complete(): readonly CountResult<K, R>[] {
    const open = [...this.#keys];
    // What came out does not come out again after a restart.
    for (const [key] of open) this.#keys.delete(key);
    return open.flatMap((entry) => this.#closed(entry));
  }

  dueMs(): number {
    const oldest = this.#keys.oldest;
    return oldest === undefined ? Infinity : oldest[1].seenAtMs + this.#ttlMs;
  }

  tick(nowMs: number): readonly CountResult<K, R>[] {
    const results: CountResult<K, R>[] = [];
    for (let oldest = this.#keys.oldest; oldest !== undefined; oldest = this.#keys.oldest) {
      if (oldest[1].seenAtMs + this.#ttlMs > nowMs) break;
      this.#keys.delete(oldest[0]);
      results.push(...this.#closed(oldest));
    }
    return results;
  }

  capture(): CountsState<A, K> {
    const keys = [...this.#keys].map(
      ([key, { index, count, accumulator }]) => [key, index, count, accumulator] as const,
    );
    return { version: 1, count: this.#count, keys };
  }

  #closed([key, { index, count, accumulator }]: readonly [K, Counted<A>]): readonly CountResult<K, R>[] {
    return count === 0 ? nothing : [{ key, index, count, value: this.#reducer.result(accumulator) }];
  }
}
