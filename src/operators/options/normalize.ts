import { z } from 'zod';
import { name } from './values.js';

/** How times are read. */
export interface NormalizeOptions {
  /** Luxon formats to try beside ISO 8601. */
  readonly timeFormats?: readonly string[];
  /** IANA name of the zone of times that name none. */
  readonly timeZone: string;
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export const normalizeOptions: z.ZodType<NormalizeOptions> = z
  .strictObject({
    timeFormats: z
      .array(name)
      .exactOptional()
      .describe('Luxon formats to try beside ISO 8601, e.g. "EEE MMM dd HH:mm:ss yyyy".'),
    timeZone: z
      .string()
      .refine(isTimeZone, {
        error: 'expected the IANA name of a time zone, e.g. Europe/Berlin',
        params: { nearestOf: ['UTC', ...Intl.supportedValuesOf('timeZone')] },
      })
      .default('UTC')
      .describe('IANA name of the zone of times that name none.'),
  })
  .describe('Gives time and level their ECS names and one form.');
