import { z } from 'zod';
import { lineShape } from '../options.js';
import type { LineOptions } from '../options.js';

/** How the standard input is read. */
export type StdinOptions = LineOptions;

export const stdinOptions: z.ZodType<StdinOptions> = z.strictObject(lineShape).describe('Reads the standard input.');
