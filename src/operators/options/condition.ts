import { z } from 'zod';
import type { Condition } from '../condition.js';
import { besideFaults, hasUnknownKey } from './exactly-one.js';
import { level, name, regex, scalar } from './values.js';

const fieldTests = ['equals', 'matches', 'contains', 'exists', 'gt', 'gte', 'lt', 'lte'];
const tests = ['level', 'minLevel', ...fieldTests, 'and', 'or', 'not'];

const inner = z.lazy((): z.ZodType<Condition> => conditionOptions);
const inners = z.array(inner).min(1);

export const conditionOptions: z.ZodType<Condition> = z
  .strictObject({
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
  })
  .superRefine((value, context) => {
    const given = tests.filter((key) => key in value);
    if (given.length === 0 && !hasUnknownKey(context.issues)) {
      const message = `expected at least one of ${tests.join(', ')}`;
      context.addIssue({ code: 'custom', message, params: { missing: true } });
    }
    const needing = given.filter((key) => fieldTests.includes(key));
    if (needing.length > 0 && !('field' in value)) {
      context.addIssue({ code: 'custom', message: `expected a field for ${needing.join(', ')}`, path: ['field'] });
    }
  }, besideFaults);
