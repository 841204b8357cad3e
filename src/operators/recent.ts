/** Keeps something for each of the keys that were seen last, `max` at most. */
export class Recent<K, V> {
  readonly #max: number;
  readonly #entries = new Map<K, V>();
  #lastKey: K | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The key that was not seen for the longest time. */
  get oldest(): readonly [key: K, value: V] | undefined {
    for (const entry of this.#entries) return entry;
    return undefined;
  }

  /** The entry of a key, which is now the one seen last. */
  see(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined && key !== this.#lastKey) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
      this.#lastKey = key;
    }
    return value;
  }

  /** Adds a key that is not there; gives the entry that had to go. */
  add(key: K, value: V): readonly [key: K, value: V] | undefined {
    const gone = this.#entries.size >= this.#max ? this.oldest : undefined;
    if (gone !== undefined) this.#entries.delete(gone[0]);
    this.#entries.set(key, value);
    this.#lastKey = key;
    return gone;
  }

  delete(key: K): void {
    this.#entries.delete(key);
    if (key === this.#lastKey) this.#lastKey = undefined;
  }

  /** From the one seen longest ago to the one seen last. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries[Symbol.iterator]();
  }
}
