import { z } from 'zod';
import type { SampleConfig } from '../sample.js';
import { name } from './values.js';

export const sampleOptions: z.ZodType<SampleConfig> = z
  .strictObject({
    share: z.number().min(0).max(1).describe('The share that goes on, from 0 to 1.'),
    by: name.exactOptional().describe('A field: events with the same value go on together, or none of them.'),
  })
  .describe('Lets a share of the events through, the same ones in every run.');
