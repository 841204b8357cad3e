import { z } from 'zod';
import type { Condition } from '../condition.js';
import { besideFaults, hasUnknownKey } from './exactly-one.js';
import type { UnusualConfig } from '../keep-unusual.js';
import { fieldNames, level, name, regex, scalar } from './values.js';

const fieldTests = ['equals', 'matches', 'contains', 'exists', 'gt', 'gte', 'lt', 'lte'];
const tests = ['level', 'minLevel', ...fieldTests, 'and', 'or', 'not'];

const inner = z.lazy((): z.ZodType<Condition> => conditionOptions);
const inners = z.array(inner).min(1);

const shape = {
  level: z
    .union([level, z.array(level).min(1)])
    .exactOptional()
    .describe('One of these levels.'),
  minLevel: level.exactOptional().describe('This level or a more severe one.'),
  field: name
    .exactOptional()
    .describe('The field that equals, matches, contains, exists, gt, gte, lt and lte look at.'),
  equals: z
    .union([scalar, z.array(scalar).min(1)])
    .exactOptional()
    .describe('The field has this value, or one of these.'),
  matches: regex.exactOptional().describe('A regular expression (flag u) that finds something in the field.'),
  contains: z.string().exactOptional().describe('The field contains this text.'),
  exists: z.boolean().exactOptional().describe('The field is there (true) or is not (false).'),
  gt: z.number().exactOptional().describe('The field is a number, or a text that is one, greater than this.'),
  gte: z.number().exactOptional().describe('The field is a number of at least this.'),
  lt: z.number().exactOptional().describe('The field is a number less than this.'),
  lte: z.number().exactOptional().describe('The field is a number of at most this.'),
  and: inners.exactOptional().describe('Conditions that must all hold.'),
  or: inners.exactOptional().describe('Conditions of which one must hold.'),
  not: z
    .union([inner, inners])
    .exactOptional()
    .describe('A condition that must not hold, or several of which none may.'),
};

/** Something is asked, and of a field where that is needed. */
function isAsked(
  tests: readonly string[],
  ofField: readonly string[],
): (value: object, context: z.core.$RefinementCtx) => void {
  return (value, context) => {
    const given = tests.filter((key) => key in value);
    if (given.length === 0 && !hasUnknownKey(context.issues)) {
      const message = `expected at least one of ${tests.join(', ')}`;
      context.addIssue({ code: 'custom', message, params: { missing: true } });
    }
    const needing = given.filter((key) => ofField.includes(key));
    if (needing.length > 0 && !('field' in value)) {
      context.addIssue({ code: 'custom', message: `expected a field for ${needing.join(', ')}`, path: ['field'] });
    }
  };
}

export const conditionOptions: z.ZodType<Condition> = z
  .strictObject(shape)
  .superRefine(isAsked(tests, fieldTests), besideFaults);

/** What `keep` is told: a condition, and perhaps what the data before say. */
export type KeepOptions = Condition & Partial<UnusualConfig>;

const dataTests = ['aboveQuantile', 'anomalyAbove'];
const dataKeys = ['by', 'minSamples', 'windowSamples', 'maxKeys'];

export const keepOptions: z.ZodType<KeepOptions> = z
  .strictObject({
    ...shape,
    aboveQuantile: z
      .number()
      .min(0)
      .max(1)
      .exactOptional()
      .describe('The field is a number greater than this share of those before, e.g. 0.99.'),
    anomalyAbove: z
      .number()
      .positive()
      .exactOptional()
      .describe('The field is a number more than so many standard deviations from the mean of those before.'),
    by: fieldNames.exactOptional().describe('Each combination of their values has a history of its own.'),
    minSamples: z
      .int()
      .min(1)
      .exactOptional()
      .describe('With fewer numbers before it no event goes on; 100 when not given.'),
    windowSamples: z
      .int()
      .min(10)
      .exactOptional()
      .describe('About so many of the newest numbers count; 10000 when not given.'),
    maxKeys: z.int().min(1).max(10_000).exactOptional().describe('How many histories are kept; 100 when not given.'),
  })
  .superRefine(isAsked([...tests, ...dataTests], [...fieldTests, ...dataTests]), besideFaults)
  .superRefine((value, context) => {
    const given = dataKeys.filter((key) => key in value);
    if (given.length === 0 || dataTests.some((key) => key in value)) return;
    const message = `expected ${dataTests.join(' or ')} for ${given.join(', ')}`;
    context.addIssue({ code: 'custom', message, params: { missing: true } });
  }, besideFaults);
