import { z } from 'zod';
import type { DedupeConfig } from '../dedupe.js';
import { fieldNames, maxKeys } from './values.js';

export const dedupeOptions: z.ZodType<DedupeConfig> = z
  .strictObject({
    by: fieldNames.describe('Events with the same values of all these fields are the same.'),
    withinMs: z
      .int()
      .min(1)
      .exactOptional()
      .describe('Only within this time of the first, by @timestamp; without it, as long as the key is remembered.'),
    maxKeys,
  })
  .describe('Lets the first of events that are the same through.');
