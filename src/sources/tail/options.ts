import { z } from 'zod';
import { lineShape, MAX_TIMER_MS } from '../options.js';
import type { LineOptions } from '../options.js';

/** Which files are read, and how. */
export interface TailOptions extends LineOptions {
  /** Paths and glob patterns of the files. */
  readonly paths: readonly string[];
  /** Paths and glob patterns of files that are left alone. */
  readonly exclude: readonly string[];
  /** Where reading starts in files that are there at the first start; later ones are read from the beginning. */
  readonly from: 'beginning' | 'end';
  /** How often files are looked at, when the system says nothing. */
  readonly pollMs: number;
  /** The most files that are open at a time. */
  readonly maxOpenFiles: number;
  /** How long a rotated file is still read after its last growth. */
  readonly rotateWaitMs: number;
}

const path = z.string().min(1);

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
