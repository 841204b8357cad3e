import { MillraceError } from '../../model/errors.js';
import type { LogEvent } from '../../model/event.js';
import type { Delivery, Receipt, Refusal } from '../../model/sink.js';
import type { LanePosition, LegLane, Transaction } from './database.js';
import { EventRows } from './event-rows.js';
import { ROW_GROUP_ROWS } from './sql.js';

/** A leg that delivers to a store. */
export interface StoreLeg {
  readonly pipeline: string;
  readonly leg: string;
  readonly route: string;
}

/** How far a delivery was accepted, and what became of that part. */
export interface Progress {
  accepted: number;
  delivered: number;
  duplicates: number;
  readonly refused: Refusal[];
}

/** A transaction, and when the first of its rows was accepted. */
export interface Taken extends Transaction {
  readonly ingestedMs: number;
  readonly bytes: number;
}

/** Besides a row group, what a transaction holds at most, and the last row beyond that. */
const MAX_BYTES = 8 * 1024 * 1024;
/** The rows of a transaction stay in the database's memory until it is over: of 16 MB it needs 32. */
const MEMORY_FOR_A_TRANSACTION = 16;

/** The same for all names of a lane. */
export function laneKeyOf({ pipeline, leg, lane }: LegLane): string {
  return JSON.stringify([pipeline, leg, lane]);
}

function tooLarge(event: LogEvent): MillraceError {
  return MillraceError.ofRecord('MILLRACE_E_STORE_TOO_LARGE', event.id);
}

export function receiptOf({ delivered, duplicates, refused }: Progress): Receipt {
  return { delivered, duplicates, refused };
}

/** What is accepted for the next transaction: rows, and how far they bring each lane. */
export class NextTransaction {
  readonly #rows: EventRows;
  readonly #maxBytes: number;
  #reached = new Map<string, LanePosition>();
  #ingestedMs = 0;

  /** `memoryBytes`: what the database may use. */
  constructor(memoryBytes: number) {
    this.#rows = new EventRows(memoryBytes);
    this.#maxBytes = Math.min(MAX_BYTES, memoryBytes / MEMORY_FOR_A_TRANSACTION);
  }

  get isEmpty(): boolean {
    return this.#rows.count === 0;
  }

  /** As many rows as a row group has are cheapest to commit. */
  get isFull(): boolean {
    return this.#rows.count >= ROW_GROUP_ROWS || this.#rows.bytes >= this.#maxBytes;
  }

  /** When the first row was accepted, if there is one. */
  get ingestedMs(): number {
    return this.#ingestedMs;
  }

  /**
   * Accepts what there is room for of a delivery, from where it was left. Gives how far the lane has come. `position`: how far
   * it has come before. `nowMs`: no row was ever accepted later.
   */
  accept(from: StoreLeg, delivery: Delivery, progress: Progress, position: number, nowMs: number): number {
    const { pipeline, leg, route } = from;
    const { lane, items } = delivery;
    if (this.isEmpty) this.#ingestedMs = nowMs;
    const common = this.#rows.common(pipeline, route, new Date(this.#ingestedMs).toISOString());
    let at = progress.accepted;
    for (; at < items.length; at++) {
      const event = items[at] as LogEvent;
      if (this.isFull && isBetweenRecords(items, at)) break;
      const isStored = event.record.offset < position;
      // What was refused is refused again: nobody knows whether it became a dead letter before the crash.
      if (!(isStored ? this.#rows.takes(event) : this.#rows.add(event, common)))
        progress.refused.push({ item: event, reason: tooLarge(event) });
      else if (isStored) progress.duplicates++;
      else progress.delivered++;
    }
    progress.accepted = at;
    const end = Math.max(position, items[at]?.record.offset ?? delivery.position);
    if (end > position) {
      const reached = { pipeline, leg, lane, position: end };
      this.#reached.set(laneKeyOf(reached), reached);
    }
    return end;
  }

  /** Begins a new one. The rows hold until the next call. Of `forgotten`, lanes that it has rows of are left there. */
  take(forgotten: Map<string, LegLane>): Taken {
    const gone = [...forgotten].filter(([key]) => !this.#reached.has(key));
    for (const [key] of gone) forgotten.delete(key);
    const positions = [...this.#reached.values()];
    this.#reached = new Map();
    const { bytes } = this.#rows;
    return {
      rows: this.#rows.take(),
      bytes,
      positions,
      forgotten: gone.map(([, lane]) => lane),
      ingestedMs: this.#ingestedMs,
    };
  }
}

/** A position says that everything before it is there, and nothing of what comes after it. */
function isBetweenRecords(items: readonly LogEvent[], at: number): boolean {
  const next = items[at]?.record.offset ?? Infinity;
  // Stages from elsewhere may have changed the order.
  return items.every(({ record: { offset } }, index) => (index < at ? offset < next : offset >= next));
}
