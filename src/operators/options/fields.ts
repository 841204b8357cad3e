import { z } from 'zod';
import type { FieldsConfig } from '../fields.js';
import { besideFaults, hasUnknownKey } from './exactly-one.js';
import { name, scalar } from './values.js';

export const fieldsOptions: z.ZodType<FieldsConfig> = z
  .strictObject({
    set: z.record(z.string(), scalar).exactOptional().describe('Fields and their values.'),
    rename: z.record(z.string(), name).exactOptional().describe('From the old name to the new one.'),
    remove: z.array(name).exactOptional().describe('Names of fields.'),
  })
  .superRefine((value, context) => {
    if (Object.keys(value).length > 0 || hasUnknownKey(context.issues)) return;
    const message = 'expected at least one of set, rename, remove';
    context.addIssue({ code: 'custom', message, params: { missing: true } });
  }, besideFaults)
  .describe('Renames, then removes, then sets fields.');
