import type { JoinRule } from '../operators/line-joiner.js';
import type { Encoding } from './decode-text.js';
import type { LineLimits, Lines } from './lines.js';

/** Cuts bytes into records. A position never lies inside one. */
export interface Framing {
  /** Where the first record begins that has not come out. */
  readonly position: number;
  /** Where the next block begins. */
  readonly end: number;
  /** Bytes of memory that take what has not come out. */
  readonly heldBytes: number;
  /** Complete lines wait for more that belong to them. */
  readonly isJoining?: boolean;
  /** Takes records from a block until there are `maxLines`; returns how many bytes it has used. */
  push(block: Buffer, lines: Lines, maxLines: number): number;
  /** There will be no more: what has not come out does, incomplete or not. */
  flush(lines: Lines): void;
  /** What has not come out does, but for an incomplete line: it was quiet for so long. */
  flushJoined?(lines: Lines): void;
}

/** What decides how bytes become records. */
export interface FramingOptions extends LineLimits {
  readonly encoding: Encoding;
  /** Lines that belong together are one record. */
  readonly multiline?: JoinRule | undefined;
}
