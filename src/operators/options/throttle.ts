import { z } from 'zod';
import type { ThrottleConfig } from '../throttle.js';
import { fieldNames, maxKeys } from './values.js';

export const throttleOptions: z.ZodType<ThrottleConfig> = z
  .strictObject({
    by: fieldNames.exactOptional().describe('Each combination of their values is counted for itself.'),
    max: z.int().min(1).describe('Events of a key in one window.'),
    perMs: z.int().min(1).describe('Milliseconds of a window, by @timestamp.'),
    maxKeys,
  })
  .describe('Lets so many events of a key through in each window of time.');
