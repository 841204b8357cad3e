import type { LogRecord } from '../model/batch.js';
import type { RecordFilter } from '../model/source.js';
import type { TextCodec } from './decode-text.js';
import { addRecord, countOf, longLineFault } from './lines.js';
import type { LineLimits, Lines } from './lines.js';

const REPLACEMENT = '\uFFFD';

/** What becomes of the lines. */
interface LineUse {
  readonly filter: RecordFilter | undefined;
  /** Of every line, because it may become part of a record whose bytes are needed. */
  readonly keepsBytes: boolean;
}

/**
 * Cuts bytes of any encoding into lines at LF or CRLF, in its own code units. A line may lie in any number of blocks,
 * and is decoded as a whole, so a character is never split. Lines whose bytes are not of the encoding have U+FFFD in
 * their text and the bytes beside it. Memory: one line of at most `maxLineBytes`, whatever the input.
 */
export class DecodingSplitter {
  readonly #limits: LineLimits;
  readonly #codec: TextCodec;
  readonly #unitBytes: number;
  readonly #filter: RecordFilter | undefined;
  readonly #keepsBytes: boolean;
  #partial: Buffer[] = [];
  #partialBytes = 0;
  /** The last byte of the incomplete line. */
  #last: number | undefined;
  #position: number;
  #end: number;

  constructor(limits: LineLimits, codec: TextCodec, position: number, { filter, keepsBytes }: LineUse) {
    this.#limits = limits;
    this.#codec = codec;
    this.#unitBytes = codec.lineFeed.length;
    this.#filter = filter;
    this.#keepsBytes = keepsBytes;
    this.#position = position;
    this.#end = position;
  }

  /** Where the first line begins that has not come out. */
  get position(): number {
    return this.#position;
  }

  /** Where the next block begins. */
  get end(): number {
    return this.#end;
  }

  /** Bytes of memory that the incomplete line takes. */
  get heldBytes(): number {
    return this.#partialBytes;
  }

  /** Takes lines from a block until there are `maxLines`; returns how many bytes it has used. */
  push(block: Buffer, lines: Lines, maxLines: number): number {
    let from = 0;
    while (from < block.length && countOf(lines) < maxLines) {
      const lineEnd = this.#lineEnd(block, from);
      const line = block.subarray(from, lineEnd < 0 ? block.length : lineEnd);
      from += line.length;
      this.#end += line.length;
      if (lineEnd < 0) this.#hold(line);
      else this.#emit(line, lines);
    }
    return from;
  }

  /** The incomplete line is a line: there will be no more. */
  flush(lines: Lines): void {
    if (this.#end > this.#position) this.#emit(Buffer.alloc(0), lines);
  }

  /** Where the line ends, line break included, that goes on at `from`; -1 if not in this block. */
  #lineEnd(block: Buffer, from: number): number {
    const { lineFeed } = this.#codec;
    if (this.#unitBytes === 1) return block.indexOf(10, from) + 1 || -1;
    const isCut = this.#end % 2 === 1;
    if (isCut && this.#last === lineFeed[0] && block[from] === lineFeed[1]) return from + 1;
    for (let at = block.indexOf(lineFeed, from); at >= 0; at = block.indexOf(lineFeed, at + 1)) {
      if ((this.#end + at - from) % 2 === 0) return at + 2;
    }
    return -1;
  }

  #hold(bytes: Buffer): void {
    this.#last = bytes.at(-1);
    // Its line break, and one more unit that shows whether a character is being cut.
    const room = this.#limits.maxLineBytes + 3 * this.#unitBytes - this.#partialBytes;
    if (room <= 0) return;
    // A copy: the block is used again for the next read.
    const kept = Buffer.from(bytes.subarray(0, room));
    this.#partial.push(kept);
    this.#partialBytes += kept.length;
  }

  /** The line that ends with `rest` comes out. */
  #emit(rest: Buffer, lines: Lines): void {
    let bytes = rest;
    if (this.#partialBytes > 0) {
      this.#hold(rest);
      bytes = Buffer.concat(this.#partial);
    }
    this.#partial = [];
    this.#partialBytes = 0;
    this.#last = undefined;
    const record = this.#record(bytes, this.#position, this.#end - this.#position);
    this.#position = this.#end;
    addRecord(lines, record, this.#filter);
  }

  /** `bytes` may be less than the `length` of the line in the file, line break included. */
  #record(bytes: Buffer, offset: number, length: number): LogRecord {
    const { maxLineBytes } = this.#limits;
    const { byteOrderMark } = this.#codec;
    const line = bytes.length === length ? this.#withoutLineBreak(bytes) : bytes;
    const isLong = line.length > maxLineBytes;
    const kept = isLong ? line.subarray(0, this.#codec.characterEnd(line, maxLineBytes)) : line;
    const hasMark = offset === 0 && byteOrderMark.length > 0 && startsWith(kept, byteOrderMark);
    const text = this.#codec.decode(hasMark ? kept.subarray(byteOrderMark.length) : kept);
    const original = this.#keepsBytes || text.includes(REPLACEMENT) ? { bytes: Uint8Array.from(kept) } : {};
    return { offset, text, ...(isLong ? longLineFault(this.#limits, length, kept.length) : {}), ...original };
  }

  #withoutLineBreak(bytes: Buffer): Buffer {
    const { lineFeed, carriageReturn } = this.#codec;
    // An incomplete line at the end of a file keeps its CR no more than one that is complete.
    return [lineFeed, carriageReturn].reduce(
      (line, unit) => (endsWith(line, unit) ? line.subarray(0, -unit.length) : line),
      bytes,
    );
  }
}

function startsWith(bytes: Buffer, beginning: Buffer): boolean {
  return bytes.subarray(0, beginning.length).equals(beginning);
}

/** Whether the last code unit is this one. */
function endsWith(bytes: Buffer, unit: Buffer): boolean {
  return bytes.length % unit.length === 0 && bytes.length > 0 && bytes.subarray(-unit.length).equals(unit);
}
