import { z } from 'zod';
import { scalar } from '../operators/options.js';
import type { Scalar } from '../operators/options.js';

/** Timers take no more: beyond it they fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** Fields that every event of a source gets. */
export const extraFields: z.ZodType<Readonly<Record<string, Scalar>>> = z
  .record(z.string(), scalar)
  .default({})
  .describe('Fields that every event gets.');

/** What the sources that read lines of bytes have in common. */
export interface LineOptions {
  /** Fields that every event gets. */
  readonly fields: Readonly<Record<string, Scalar>>;
  /** The longest line, in bytes without its line break. */
  readonly maxLineBytes: number;
  /** What becomes of a longer line: set aside, or its beginning goes on. */
  readonly onLongLine: 'deadLetter' | 'truncate';
}

export const lineShape: { readonly [K in keyof LineOptions]: z.ZodType<LineOptions[K]> } = {
  fields: extraFields,
  maxLineBytes: z
    .int()
    .min(16)
    .max(64 * 1024 * 1024)
    .default(1_048_576)
    .describe('The longest line, in bytes without its line break.'),
  onLongLine: z
    .enum(['deadLetter', 'truncate'])
    .default('deadLetter')
    .describe('What becomes of a longer line: set aside (deadLetter), or its beginning goes on (truncate).'),
};
