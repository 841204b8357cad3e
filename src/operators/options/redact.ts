import { z } from 'zod';
import type { RedactConfig } from '../redact.js';
import { besideFaults } from './exactly-one.js';
import { fieldNames, regex } from './values.js';

/** What is taken out of events, and what stands in its place. */
export interface RedactOptions extends Omit<RedactConfig, 'hash' | 'maxInputChars'> {
  readonly with: 'mask' | 'hash';
  /** The key of the hash: who does not have it cannot try values out. */
  readonly key?: string;
}

export const redactOptions: z.ZodType<RedactOptions> = z
  .strictObject({
    what: z
      .array(z.enum(['email', 'cardNumber', 'ip', 'bearerToken']))
      .exactOptional()
      .describe('What is taken out; all of it when not given.'),
    patterns: z
      .array(regex)
      .exactOptional()
      .describe("Regular expressions (flag u) of one's own; what they find is taken out."),
    fields: fieldNames.default(['message']).describe('The fields that are looked at.'),
    with: z
      .enum(['mask', 'hash'])
      .default('mask')
      .describe('What stands in its place: its kind, or its kind and a keyed hash (HMAC-SHA-256, 64 bits).'),
    key: z.string().min(1).exactOptional().describe('The key of the hash; from a secret: ${file:/run/secrets/x}.'),
  })
  .superRefine((value, context) => {
    const isHash = (value as { with?: unknown }).with === 'hash';
    if (isHash && !('key' in value)) {
      context.addIssue({ code: 'custom', message: 'expected a key for the hash', path: ['key'] });
    }
    if (!isHash && 'key' in value) {
      context.addIssue({ code: 'custom', message: 'expected hash where a key is given', path: ['with'] });
    }
  }, besideFaults)
  .describe('Takes out what is not for everybody.');
