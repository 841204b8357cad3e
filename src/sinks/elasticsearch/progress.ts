import type { Receipt } from '../../model/sink.js';
import type { Answer } from './answers.js';

/** One item of a delivery, on its way. */
export interface Entry<T> {
  readonly item: T;
  readonly index: number;
  readonly progress: Progress<T>;
}

/** How far a delivery has come: its items are answered in any order, and asked for again until each is. */
export class Progress<T> {
  readonly #items: readonly T[];
  #pending: readonly number[];
  #later: number[] = [];
  #outstanding = 0;
  #error: Error | undefined;
  #end: ((error?: Error) => void) | undefined;
  #delivered = 0;
  #duplicates = 0;
  readonly #refused: { readonly index: number; readonly reason: Error }[] = [];

  constructor(items: readonly T[]) {
    this.#items = items;
    this.#pending = items.map((_, index) => index);
  }

  /** How many items are still to be taken or refused. */
  get pending(): number {
    return this.#pending.length;
  }

  /** The items that are not answered yet. `end` hears once: when all are, or with the error that some met. */
  begin(end: (error?: Error) => void): readonly Entry<T>[] {
    this.#end = end;
    this.#later = [];
    this.#error = undefined;
    this.#outstanding = this.#pending.length;
    return this.#pending.flatMap((index): Entry<T>[] => {
      const item = this.#items[index];
      return item === undefined ? [] : [{ item, index, progress: this }];
    });
  }

  /** Nobody waits any more: what was not sent yet need not be. */
  abandon(): void {
    this.#end = undefined;
  }

  get isAbandoned(): boolean {
    return this.#end === undefined;
  }

  answer(index: number, answer: Answer): void {
    switch (answer.kind) {
      case 'delivered':
        this.#delivered++;
        break;
      case 'duplicate':
        this.#duplicates++;
        break;
      case 'refused':
        this.#refused.push({ index, reason: answer.reason });
        break;
      case 'retry':
        this.#later.push(index);
        this.#error ??= answer.reason;
    }
    this.#outstanding--;
    if (this.#outstanding > 0) return;
    this.#pending = this.#later;
    this.#end?.(this.#error);
  }

  get receipt(): Receipt<T> {
    const refused = this.#refused.sort((a, b) => a.index - b.index);
    return {
      delivered: this.#delivered,
      duplicates: this.#duplicates,
      refused: refused.flatMap(({ index, reason }) => {
        const item = this.#items[index];
        return item === undefined ? [] : [{ item, reason }];
      }),
    };
  }
}
