import { z } from 'zod';

/** How events are shown on the standard output. */
export interface ConsoleOptions {
  /** pretty: for people; json: the event as flat JSON. */
  readonly format: 'pretty' | 'json';
}

export const consoleOptions: z.ZodType<ConsoleOptions> = z
  .strictObject({
    format: z.enum(['pretty', 'json']).default('pretty').describe('pretty: for people; json: the event as flat JSON.'),
  })
  .describe('Shows events on the standard output.');
