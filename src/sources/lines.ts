import { isAscii, isUtf8 } from 'node:buffer';
import type { LogRecord } from '../model/batch.js';
import { MillraceError } from '../model/errors.js';
import type { RecordFilter } from '../model/source.js';
import type { LineOptions } from './options.js';

/** How long a line may be, and what becomes of a longer one. */
export type LineLimits = Pick<LineOptions, 'maxLineBytes' | 'onLongLine'>;

/** Lines that were cut: those that became records, and how many more there were that the filter left out. */
export interface Lines {
  readonly records: LogRecord[];
  filtered: number;
}

export function noLines(): Lines {
  return { records: [], filtered: 0 };
}

export function countOf({ records, filtered }: Lines): number {
  return records.length + filtered;
}

/** A record comes out, unless the filter leaves it out. One that is a dead letter already is never left out. */
export function addRecord(lines: Lines, record: LogRecord, filter: RecordFilter | undefined): void {
  const { text, fault } = record;
  if (fault === undefined && filter?.(text, 0, text.length) === true) lines.filtered++;
  else lines.records.push(record);
}

/** The fault of a line that is too long, where such lines are dead letters. `keptBytes`: how much of it there is. */
export function longLineFault(
  { maxLineBytes, onLongLine }: LineLimits,
  length: number,
  keptBytes: number,
): Pick<LogRecord, 'fault'> {
  if (onLongLine === 'truncate') return {};
  const detail = `${length} bytes, at most ${maxLineBytes}; the first ${keptBytes} are kept`;
  return { fault: MillraceError.ofRecord('MILLRACE_E_LINE_TOO_LONG', detail) };
}

/** What a record takes in memory beside its text: the objects that stand for it, roughly. */
export const RECORD_BYTES = 256;
/** No batch has more lines. */
export const MAX_LINES = 5000;

const LF = 10;
const CR = 13;
/** Strings of more than 128 KiB live in another, slower part of V8's heap. */
const MAX_TEXT_BYTES = 96 * 1024;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Cuts bytes into lines at LF or CRLF. A line may lie in any number of blocks, and is decoded as a whole, so a
 * character is never split. Bytes that are not UTF-8 become U+FFFD in the text and are kept beside it. Memory: one
 * line of at most `maxLineBytes`, whatever the input.
 */
export class LineSplitter {
  readonly #limits: LineLimits;
  readonly #filter: RecordFilter | undefined;
  /** The beginning of a line whose end has not come yet; at most maxLineBytes + 1 of it. */
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #position: number;
  #end: number;

  constructor(limits: LineLimits, position: number, filter?: RecordFilter) {
    this.#limits = limits;
    this.#filter = filter;
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
    if (this.#end > this.#position) {
      const lineEnd = block.indexOf(LF);
      from = lineEnd < 0 ? block.length : lineEnd + 1;
      this.#hold(block.subarray(0, lineEnd < 0 ? block.length : lineEnd));
      this.#end += from;
      if (lineEnd < 0) return from;
      addRecord(lines, this.#heldRecord(this.#end - 1 - this.#position), this.#filter);
      this.#position = this.#end;
    }
    while (from < block.length && countOf(lines) < maxLines) {
      const to = lastLineEnd(block, from);
      if (to < 0) {
        this.#hold(block.subarray(from));
        this.#end += block.length - from;
        return block.length;
      }
      const used = this.#split(block.subarray(from, to), lines, maxLines);
      from += used;
      this.#end += used;
      this.#position = this.#end;
    }
    return from;
  }

  /** The incomplete line is a line: there will be no more. */
  flush(lines: Lines): void {
    if (this.#end === this.#position) return;
    addRecord(lines, this.#heldRecord(this.#end - this.#position), this.#filter);
    this.#position = this.#end;
  }

  #hold(bytes: Buffer): void {
    // One more than a line may have: it may be the CR of its line break, or show that a character is being cut.
    const room = this.#limits.maxLineBytes + 1 - this.#partialBytes;
    if (room <= 0 || bytes.length === 0) return;
    // A copy: the block is used again for the next read.
    const kept = Buffer.from(bytes.subarray(0, room));
    this.#partial.push(kept);
    this.#partialBytes += kept.length;
  }

  #heldRecord(length: number): LogRecord {
    const bytes = Buffer.concat(this.#partial);
    this.#partial = [];
    this.#partialBytes = 0;
    return this.#record(bytes, this.#position, length);
  }

  /** Complete lines, up to 96 KiB of them or one longer line. Returns how many bytes it has used. */
  #split(bytes: Buffer, lines: Lines, maxLines: number): number {
    if (bytes.length > this.#limits.maxLineBytes || !isAscii(bytes)) return this.#splitBytes(bytes, lines, maxLines);
    const text = bytes.toString('latin1');
    const { records } = lines;
    const filter = this.#filter;
    const base = this.#end;
    let room = maxLines - countOf(lines);
    let from = 0;
    for (; from < text.length && room > 0; room--) {
      const lineEnd = text.indexOf('\n', from);
      const to = lineEnd > from && text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd;
      if (filter?.(text, from, to) === true) lines.filtered++;
      else records.push({ offset: base + from, text: text.substring(from, to) });
      from = lineEnd + 1;
    }
    return from;
  }

  #splitBytes(bytes: Buffer, lines: Lines, maxLines: number): number {
    let from = 0;
    while (from < bytes.length && countOf(lines) < maxLines) {
      const lineEnd = bytes.indexOf(LF, from);
      const record = this.#record(bytes.subarray(from, lineEnd), this.#end + from, lineEnd - from);
      addRecord(lines, record, this.#filter);
      from = lineEnd + 1;
    }
    return from;
  }

  /** `bytes` may be less than the `length` of the line in the file. */
  #record(bytes: Buffer, offset: number, length: number): LogRecord {
    const { maxLineBytes } = this.#limits;
    const line = bytes.length === length ? withoutCr(bytes) : bytes;
    const isLong = line.length > maxLineBytes;
    const kept = isLong ? line.subarray(0, characterEnd(line, maxLineBytes)) : line;
    const decoded = kept.toString('utf8');
    const text = offset === 0 && decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
    const original = isUtf8(kept) ? {} : { bytes: Uint8Array.from(kept) };
    return { offset, text, ...(isLong ? longLineFault(this.#limits, length, kept.length) : {}), ...original };
  }
}

/** Where to cut a line near `end` without splitting a character. */
function characterEnd(line: Buffer, end: number): number {
  let start = end;
  while (start > end - 3 && isContinuation(line[start])) start--;
  // Not UTF-8 at all: then there is no character to split.
  return isContinuation(line[start]) ? end : start;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function withoutCr(line: Buffer): Buffer {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}

/** The end of the last line that ends within 96 KiB from `from`, or of the first line if that is longer; else -1. */
function lastLineEnd(block: Buffer, from: number): number {
  const limit = from + MAX_TEXT_BYTES;
  if (limit < block.length) {
    const within = block.lastIndexOf(LF, limit - 1);
    if (within >= from) return within + 1;
    const beyond = block.indexOf(LF, limit);
    return beyond < 0 ? -1 : beyond + 1;
  }
  const last = block.lastIndexOf(LF);
  return last < from ? -1 : last + 1;
}
