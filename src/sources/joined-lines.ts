import type { LogRecord } from '../model/batch.js';
import type { LineJoiner } from '../operators/line-joiner.js';
import type { RecordFilter } from '../model/source.js';
import type { Framing } from './framing.js';
import { addRecord, countOf, noLines } from './lines.js';
import type { Lines } from './lines.js';

/**
 * Makes one record of lines that belong together: their texts with LF between them, at the place of the first one. What
 * is too long or otherwise faulty stands alone. Memory: one record of at most `maxLines` lines and `maxBytes`, and an
 * incomplete line.
 */
export class JoinedLines implements Framing {
  readonly #lines: Framing;
  readonly #joiner: LineJoiner<LogRecord>;
  readonly #lineFeed: Buffer;
  readonly #filter: RecordFilter | undefined;

  constructor(lines: Framing, joiner: LineJoiner<LogRecord>, lineFeed: Buffer, filter?: RecordFilter) {
    this.#lines = lines;
    this.#joiner = joiner;
    this.#lineFeed = lineFeed;
    this.#filter = filter;
  }

  get position(): number {
    return this.#joiner.first?.offset ?? this.#lines.position;
  }

  get end(): number {
    return this.#lines.end;
  }

  get heldBytes(): number {
    return this.#joiner.heldBytes + this.#lines.heldBytes;
  }

  get isJoining(): boolean {
    return this.#joiner.first !== undefined;
  }

  push(block: Buffer, events: Lines, maxLines: number): number {
    const lines = noLines();
    // A line completes one record at most.
    const used = this.#lines.push(block, lines, maxLines - countOf(events));
    this.#join(lines.records, events);
    return used;
  }

  flush(events: Lines): void {
    const lines = noLines();
    this.#lines.flush(lines);
    this.#join(lines.records, events);
    this.flushJoined(events);
  }

  flushJoined(events: Lines): void {
    this.#add(this.#joiner.flush(), events);
  }

  #join(lines: readonly LogRecord[], events: Lines): void {
    for (const [at, line] of lines.entries()) {
      const bytes = (lines[at + 1]?.offset ?? this.#lines.position) - line.offset;
      if (line.fault === undefined) this.#add(this.#joiner.push(line, bytes), events);
      // Of a line that is too long only the beginning is held.
      else this.#add(this.#joiner.pushAlone(line, Math.min(bytes, line.text.length)), events);
    }
  }

  #add(group: readonly LogRecord[] | undefined, events: Lines): void {
    if (group !== undefined) addRecord(events, this.#joined(group), this.#filter);
  }

  #joined(group: readonly LogRecord[]): LogRecord {
    const [first] = group as readonly [LogRecord];
    const text = group.length === 1 ? first.text : group.map((line) => line.text).join('\n');
    const { offset, fault } = first;
    const isExact = group.every(({ bytes }) => bytes === undefined) || !text.includes('\uFFFD');
    return {
      offset,
      text,
      ...(fault === undefined ? {} : { fault }),
      ...(isExact ? {} : { bytes: this.#bytesOf(group) }),
    };
  }

  #bytesOf(group: readonly LogRecord[]): Uint8Array {
    return Uint8Array.from(
      Buffer.concat(
        group.flatMap(({ bytes, text }, at) => [
          ...(at === 0 ? [] : [this.#lineFeed]),
          // Only UTF-8 comes without its bytes.
          bytes ?? Buffer.from(text),
        ]),
      ),
    );
  }
}
