import type { Subscriber } from 'rxjs';
import type { Delivery, Receipt } from '../../model/sink.js';
import type { LineBuffer } from './line-buffer.js';

/** How the items of a file become lines. */
export interface LineCodec<T> {
  /** Made once per sink. */
  encoder(): (item: T) => string;
  /** Where the item's record begins in its lane. */
  offsetOf(item: T): number;
}

export interface Request<T> {
  readonly delivery: Delivery<T>;
  readonly subscriber: Subscriber<Receipt<T>>;
}

/** How far a request has come. */
interface Progress<T> extends Request<T> {
  /** What the file does not have yet. */
  readonly items: readonly T[];
  /** Of these the next one. */
  at: number;
  readonly duplicates: number;
  /** The offsets never go back: a position tells what is written. */
  readonly isOrdered: boolean;
}

/** What a file knows of its lanes. */
export interface Lanes<T> {
  /** How far each lane is written. */
  readonly positions: Map<string, number>;
  /** Of a delivery that failed: how many of its items were written before. They are no duplicates. */
  readonly writtenBefore: WeakMap<Delivery<T>, number>;
  readonly encode: (item: T) => string;
  readonly offsetOf: (item: T) => number;
}

interface RecordLines {
  readonly text: string;
  readonly bytes: number;
  readonly end: number;
}

/**
 * Deliveries that are written together, in as many pieces as the files need. A piece ends between two records: what is
 * written of a lane can be told by a position then, so that a piece that fails is the only one that is tried again.
 */
export class WriteGroup<T> {
  readonly #lanes: Lanes<T>;
  readonly #requests: readonly Progress<T>[];
  #current = 0;
  #answered = 0;
  /** Lines that did not fit. */
  #held: RecordLines | undefined;

  constructor(requests: readonly Request<T>[], lanes: Lanes<T>) {
    this.#lanes = lanes;
    this.#requests = requests.map((request) => this.#begin(request));
  }

  get isDone(): boolean {
    return this.#current >= this.#requests.length;
  }

  /** Adds the next lines that `room` bytes take, one record at least when `must`. False if none fits or none is left. */
  take(into: LineBuffer, room: number, must: boolean): boolean {
    if (room === Infinity) return this.#takeAll(into);
    let left = room;
    let hasTaken = false;
    for (; this.#current < this.#requests.length; this.#current++) {
      const request = this.#requests[this.#current];
      while (request !== undefined && request.at < request.items.length) {
        const lines = this.#held ?? this.#linesOf(request);
        if (lines.bytes > left && (hasTaken || !must)) {
          this.#held = lines;
          return hasTaken;
        }
        this.#held = undefined;
        request.at = lines.end;
        into.add(lines.text);
        hasTaken = true;
        left -= lines.bytes;
      }
    }
    return hasTaken;
  }

  #takeAll(into: LineBuffer): boolean {
    const { encode } = this.#lanes;
    let hasTaken = false;
    for (; this.#current < this.#requests.length; this.#current++) {
      const request = this.#requests[this.#current];
      if (request === undefined) continue;
      const { items } = request;
      for (let at = request.at; at < items.length; at++) into.add(encode(items[at] as T) + '\n');
      hasTaken ||= request.at < items.length;
      request.at = items.length;
    }
    return hasTaken;
  }

  /** What was taken is written: before anybody hears of it the positions say so. */
  written(): void {
    for (const { delivery, items, at } of this.#requests.slice(this.#answered, this.#current + 1)) {
      const next = items[at];
      if (next !== undefined && at === 0) continue;
      this.#reached(delivery.lane, next === undefined ? delivery.position : this.#lanes.offsetOf(next));
    }
  }

  /** Answers those whose items are all written. */
  answer(): void {
    while (this.#answered < this.#current) {
      const request = this.#requests[this.#answered++];
      if (request === undefined) return;
      const { delivery, subscriber, duplicates } = request;
      subscriber.next({ delivered: delivery.items.length - duplicates, duplicates, refused: [] });
      subscriber.complete();
    }
  }

  /** The legs try again what was not written. */
  fail(error: unknown): void {
    const failed = this.#requests.slice(this.#answered);
    this.#answered = this.#current = this.#requests.length;
    for (const { delivery, duplicates, subscriber } of failed) {
      const from = this.#lanes.positions.get(delivery.lane) ?? -1;
      const skipped = delivery.items.filter((item) => this.#lanes.offsetOf(item) < from).length;
      this.#lanes.writtenBefore.set(delivery, skipped - duplicates);
      subscriber.error(error);
    }
  }

  #reached(lane: string, position: number): void {
    const { positions } = this.#lanes;
    positions.set(lane, Math.max(position, positions.get(lane) ?? -1));
  }

  /** Leaves out what the file has already. */
  #begin({ delivery, subscriber }: Request<T>): Progress<T> {
    const { positions, writtenBefore, offsetOf } = this.#lanes;
    const from = positions.get(delivery.lane) ?? -1;
    let isOrdered = true;
    let before = -1;
    const items = delivery.items.filter((item) => {
      const offset = offsetOf(item);
      isOrdered &&= offset >= before;
      before = offset;
      return offset >= from;
    });
    const duplicates = delivery.items.length - items.length - (writtenBefore.get(delivery) ?? 0);
    return { delivery, subscriber, items, at: 0, duplicates, isOrdered };
  }

  /** The lines of the next record: one, or several when it was taken apart; of all where there is no order. */
  #linesOf({ at, items, isOrdered }: Progress<T>): RecordLines {
    const { encode, offsetOf } = this.#lanes;
    const offset = offsetOf(items[at] as T);
    let text = '';
    let end = at;
    do text += encode(items[end++] as T) + '\n';
    while (end < items.length && (!isOrdered || offsetOf(items[end] as T) === offset));
    return { text, bytes: Buffer.byteLength(text), end };
  }
}
