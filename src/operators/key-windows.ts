import { atLeast } from './at-least.js';

/** How long a key is remembered, and how many. */
export interface KeyWindowConfig {
  /** A key's window: it begins with a value that passes when none is open. */
  readonly perMs: number;
  /** So many values of a key pass in its window. */
  readonly max: number;
  /** So many keys are remembered; for one more the oldest window is forgotten. */
  readonly maxKeys: number;
}

/** Windows of equal length, one for each key that was seen lately. Plain code, its clock is a parameter. */
export class KeyWindows<K> {
  readonly #config: KeyWindowConfig;
  // In the order in which they began, which is the order in which they end.
  readonly #windows = new Map<K, { readonly endsAt: number; count: number }>();

  constructor(config: KeyWindowConfig) {
    const { perMs, max, maxKeys } = config;
    atLeast(0, { perMs });
    atLeast(1, { max, maxKeys });
    this.#config = config;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  /** Whether one more value of a key may pass now; if so, it is counted. */
  admit(key: K, nowMs: number): boolean {
    const window = this.#windows.get(key);
    if (window !== undefined && nowMs < window.endsAt) {
      if (window.count >= this.#config.max) return false;
      window.count++;
      return true;
    }
    this.#forget(nowMs);
    if (window !== undefined) this.#windows.delete(key);
    this.#windows.set(key, { endsAt: nowMs + this.#config.perMs, count: 1 });
    return true;
  }

  /** Makes room for one key more: what is over, and if that is not enough, the oldest. */
  #forget(nowMs: number): void {
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > nowMs && this.#windows.size < this.#config.maxKeys) break;
      this.#windows.delete(key);
    }
  }
}
