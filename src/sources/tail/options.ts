import { z } from 'zod';
import type { JoinRule } from '../../operators/line-joiner.js';
import { regex } from '../../operators/options/values.js';
import { ENCODINGS } from '../decode-text.js';
import type { Encoding } from '../decode-text.js';
import { lineShape, MAX_TIMER_MS } from '../options.js';
import type { LineOptions } from '../options.js';

/** Which lines are one event, and how long it is waited for more of them. */
interface MultilineOptions extends JoinRule {
  /** An event comes out when nothing was added to the file for so long. */
  readonly flushMs: number;
}

/** Which files are read, and how. */
export interface TailOptions extends LineOptions {
  /** Paths and glob patterns of the files. */
  readonly paths: readonly string[];
  /** Paths and glob patterns of files that are left alone. */
  readonly exclude: readonly string[];
  /** Where reading starts in files that are there at the first start; later ones are read from the beginning. */
  readonly from: 'beginning' | 'end';
  /** How the files' characters are written. */
  readonly encoding: Encoding;
  /** Lines that belong together are one event. Missing: each line is one. */
  readonly multiline?: MultilineOptions | undefined;
  /** In which order files are begun that are there at a start: as they are found, or those that were written last, last. */
  readonly order: 'any' | 'oldestFirst';
  /** Files that were not written to for so long when they are found are not read until they are. */
  readonly ignoreOlderThanMs?: number | undefined;
  /** How often files are looked at, when the system says nothing. */
  readonly pollMs: number;
  /** The most files that are open at a time. */
  readonly maxOpenFiles: number;
  /** How long a rotated file is still read after its last growth. */
  readonly rotateWaitMs: number;
}

const path = z.string().min(1);

const multiline: z.ZodType<MultilineOptions> = z
  .strictObject({
    start: regex.exactOptional().describe('What matches begins an event (regular expression, flag u).'),
    continuation: regex
      .exactOptional()
      .describe('What matches belongs to the line before (regular expression, flag u).'),
    maxLines: z.int().min(2).max(10_000).default(500).describe('An event has no more lines; the rest is another one.'),
    maxBytes: z
      .int()
      .min(16)
      .max(64 * 1024 * 1024)
      .default(256 * 1024)
      .describe('An event has no more bytes; the rest is another one.'),
    flushMs: z
      .int()
      .min(1)
      .max(MAX_TIMER_MS)
      .default(1000)
      .describe('Milliseconds after the last line until an event comes out that may still go on.'),
  })
  .refine(({ start, continuation }) => (start === undefined) !== (continuation === undefined), {
    error: 'expected either start or continuation',
  })
  .describe('Lines that belong together are one event.');

export const tailOptions: z.ZodType<TailOptions> = z
  .strictObject({
    paths: z
      .union([path, z.array(path).min(1)])
      .transform((paths) => (typeof paths === 'string' ? [paths] : paths))
      .describe('Paths and glob patterns of the files: one, or a list.'),
    exclude: z.array(path).default([]).describe('Paths and glob patterns of files that are left alone.'),
    from: z
      .enum(['beginning', 'end'])
      .default('beginning')
      .describe('Where reading starts in files that are there at the first start; later ones: the beginning.'),
    ...lineShape,
    encoding: z.enum(ENCODINGS).default('utf-8').describe('How the files are encoded.'),
    multiline: multiline.exactOptional(),
    order: z
      .enum(['any', 'oldestFirst'])
      .default('any')
      .describe('In which order files are read that are there at a start: side by side, or the oldest first.'),
    ignoreOlderThanMs: z
      .int()
      .min(1)
      .exactOptional()
      .describe('Files that were not written to for so long, in milliseconds, are not read until they are.'),
    pollMs: z
      .int()
      .min(10)
      .max(MAX_TIMER_MS)
      .default(1000)
      .describe('Milliseconds between two looks at the files, when the system reports no change.'),
    maxOpenFiles: z.int().min(8).default(512).describe('The most files that are open at a time.'),
    rotateWaitMs: z
      .int()
      .min(0)
      .max(MAX_TIMER_MS)
      .default(1000)
      .describe('Milliseconds that a rotated file is still read after its last growth.'),
  })
  .describe('Reads files and follows them as they grow and rotate.');
