/** Gives back what is due first. A binary heap; source: J. W. J. Williams, Algorithm 232, CACM 7(6), 1964. */
export class Earliest<T> {
  readonly #entries: { readonly dueMs: number; readonly item: T }[] = [];

  /** Infinity when it is empty. */
  get dueMs(): number {
    return this.#entries[0]?.dueMs ?? Infinity;
  }

  add(dueMs: number, item: T): void {
    const entries = this.#entries;
    const entry = { dueMs, item };
    let at = entries.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || parent.dueMs <= dueMs) break;
      entries[at] = parent;
      at = above;
    }
    entries[at] = entry;
  }

  /** Takes out what is due first. */
  take(): T | undefined {
    const entries = this.#entries;
    const [first] = entries;
    const last = entries.pop();
    if (last !== undefined && entries.length > 0) this.#sink(last);
    return first?.item;
  }

  #sink(entry: { readonly dueMs: number; readonly item: T }): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      const left = entries[2 * at + 1];
      const right = entries[2 * at + 2];
      const isRight = right !== undefined && right.dueMs < (left?.dueMs ?? Infinity);
      const child = isRight ? right : left;
      if (child === undefined || child.dueMs >= entry.dueMs) break;
      entries[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    entries[at] = entry;
  }
}
