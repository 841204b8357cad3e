import { z } from 'zod';
import type { ParseConfig } from '../parse.js';
import { besideFaults } from './exactly-one.js';
import { faultOf, fieldNames, hasNamedGroup, name, regex } from './values.js';

const delimited = z.strictObject({
  format: z.literal('delimited').describe('Fields between separators.'),
  separator: name.default('|').describe('What stands between two fields.'),
  fields: fieldNames.describe('Names of the fields; the last one keeps every further separator.'),
});

const json = z.strictObject({ format: z.literal('json').describe('One JSON object a line.') });

const logfmt = z.strictObject({
  format: z.literal('logfmt').describe('key=value pairs, values in quotes where they have spaces.'),
});

const pattern = z.strictObject({
  format: z.literal('regex').describe('The named groups of a regular expression.'),
  pattern: regex
    .refine((text) => faultOf(text) !== undefined || hasNamedGroup(text), {
      error: 'expected at least one named group: (?<name>…)',
    })
    .describe('A regular expression (flag u) whose named groups become fields.'),
  maxInputChars: z.int().min(1).default(32_768).describe('Longer texts are not tried: they become dead letters.'),
});

const formats = ['delimited', 'json', 'logfmt', 'regex'];
const parseKeys = new Set([delimited, json, logfmt, pattern].flatMap(({ shape }) => Object.keys(shape)));

export const parseOptions: z.ZodType<ParseConfig> = z
  .discriminatedUnion('format', [delimited, json, logfmt, pattern])
  .superRefine((value: { format?: unknown }, context) => {
    // Without a known format no branch has looked at the keys.
    if (formats.includes(String(value.format))) return;
    for (const key of Object.keys(value).filter((each) => !parseKeys.has(each))) {
      const message = `unknown key, expected one of ${[...parseKeys].join(', ')}`;
      context.addIssue({ code: 'custom', path: [key], message, params: { atKey: true, nearestOf: [...parseKeys] } });
    }
  }, besideFaults)
  .describe('Takes the text of an event apart.');
