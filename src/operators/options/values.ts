import { z } from 'zod';
import { levelNames } from '../../model/severity.js';

/** What a field can be set to or compared with. */
export type Scalar = string | number | boolean;

/** Text, number, or true or false. A whole number must be one that can be held exactly. */
export const scalar: z.ZodType<Scalar> = z.union([
  z.string(),
  z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: 'expected a number that can be held exactly: quote it to keep its digits',
  }),
  z.boolean(),
]);

export const name: z.ZodType<string> = z.string().min(1);

export const level: z.ZodType<string> = z
  .string()
  .refine((value) => levelNames.includes(value.trim().toLowerCase()), {
    error: 'expected a level: TRACE, DEBUG, INFO, WARN, ERROR, FATAL or an alias of one',
    params: { nearestOf: levelNames.filter(({ length }) => length > 2).map((each) => each.toUpperCase()) },
  })
  .meta({ examples: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] });

/** Why a pattern does not compile, without the pattern: it may hold what must not be printed. */
export function faultOf(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch (error) {
    const message = String(error);
    return message.slice(message.lastIndexOf(': ') + 2);
  }
}

/** The alternative matches anything, so the groups are there even when the pattern itself would not match. */
export function hasNamedGroup(pattern: string): boolean {
  return new RegExp(`${pattern}|`, 'u').exec('')?.groups !== undefined;
}

export const regex: z.ZodType<string> = z.string().superRefine((pattern, context) => {
  const fault = faultOf(pattern);
  if (fault !== undefined) context.addIssue(`expected a regular expression (${fault})`);
});

export const fieldNames: z.ZodType<readonly string[]> = z
  .array(name)
  .min(1)
  .superRefine(
    (names, context) => {
      names.forEach((each, at) => {
        if (typeof each !== 'string' || names.indexOf(each) === at) return;
        context.addIssue({ code: 'custom', message: 'expected each name once', path: [at] });
      });
    },
    { when: ({ value }) => Array.isArray(value) },
  )
  .meta({ uniqueItems: true });

/** Beyond it a checkpoint takes long to write. */
const MAX_KEYS = 100_000;

export const maxKeys: z.ZodType<number> = z
  .int()
  .min(1)
  .max(MAX_KEYS)
  .default(10_000)
  .describe('How many keys are remembered; those not seen for longest are forgotten.');
