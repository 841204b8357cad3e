import { z } from 'zod';
import { levelNames } from '../model/severity.js';
import type { Condition } from './condition.js';
import type { FieldsConfig } from './fields.js';

/** What a field can be set to or compared with. */
export type Scalar = string | number | boolean;

/** An object with exactly one of the keys. */
export type ExactlyOne<T> = { [K in keyof T]: { readonly [P in K]: T[P] } }[keyof T];

/** How the text of an event is taken apart. */
export type ParseOptions = DelimitedOptions | JsonOptions | RegexOptions;

interface DelimitedOptions {
  readonly format: 'delimited';
  /** What stands between two fields. */
  readonly separator: string;
  /** Names of the fields; the last one keeps every further separator. */
  readonly fields: readonly string[];
}

interface JsonOptions {
  readonly format: 'json';
}

interface RegexOptions {
  readonly format: 'regex';
  /** A regular expression (flag u) whose named groups become fields. */
  readonly pattern: string;
  /** Longer texts are not tried. */
  readonly maxInputChars: number;
}

/** How times are read. */
export interface NormalizeOptions {
  /** Luxon formats to try beside ISO 8601. */
  readonly timeFormats?: readonly string[];
  /** IANA name of the zone of times that name none. */
  readonly timeZone: string;
}

/** What an event is asked; all that is given must hold. */
export type ConditionOptions = Condition;

/** First renamed, then removed, then set. */
export type FieldsOptions = FieldsConfig;

/** One stage: the key is the name of the operator it becomes. */
export type StageOptions = ExactlyOne<{
  parse: ParseOptions;
  normalize: NormalizeOptions;
  keep: ConditionOptions;
  drop: ConditionOptions;
  fields: FieldsOptions;
}>;

// Checks on a whole mapping also run beside faults in its keys: every fault is to be told at once.
const besideFaults = {
  when: ({ value }: { value: unknown }): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
};

type Issues = readonly { code?: string | undefined; path?: PropertyKey[] | undefined }[];

/** The unknown key is probably the one that is missed: one fault is enough. */
function hasUnknownKey(issues: Issues): boolean {
  return issues.some(({ code, path = [] }) => code === 'unrecognized_keys' && path.length === 0);
}

/** A mapping with exactly one of the keys, as YAML writes "one of these things, configured so". */
export function exactlyOne<T>(
  shape: { readonly [K in keyof T]: z.ZodType<T[K]> },
  description: string,
): z.ZodType<ExactlyOne<T>> {
  const keys = Object.keys(shape);
  const options = Object.entries<z.ZodType>(shape).map(([key, type]) => [key, type.exactOptional()] as const);
  const schema = z
    .strictObject(Object.fromEntries(options))
    .superRefine((value, context) => {
      const given = keys.filter((key) => key in value);
      if (given.length === 1 || (given.length === 0 && hasUnknownKey(context.issues))) return;
      const message = `expected exactly one of ${keys.join(', ')}`;
      if (given.length > 1) context.addIssue({ code: 'custom', message: `${message}, got ${given.join(' and ')}` });
      else context.addIssue({ code: 'custom', message, params: { missing: true } });
    }, besideFaults)
    .meta({ description, minProperties: 1, maxProperties: 1 });
  // That exactly one key is there is what was just checked; the compiler cannot follow.
  return schema as unknown as z.ZodType<ExactlyOne<T>>;
}

/** Text, number, or true or false. A whole number must be one that can be held exactly. */
export const scalar: z.ZodType<Scalar> = z.union([
  z.string(),
  z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: 'expected a number that can be held exactly: quote it to keep its digits',
  }),
  z.boolean(),
]);

const name = z.string().min(1);

const level = z
  .string()
  .refine((value) => levelNames.includes(value.trim().toLowerCase()), {
    error: 'expected a level: TRACE, DEBUG, INFO, WARN, ERROR, FATAL or an alias of one',
    params: { nearestOf: levelNames.filter(({ length }) => length > 2).map((each) => each.toUpperCase()) },
  })
  .meta({ examples: ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] });

/** Why a pattern does not compile, without the pattern: it may hold what must not be printed. */
function faultOf(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch (error) {
    const message = String(error);
    return message.slice(message.lastIndexOf(': ') + 2);
  }
}

/** The alternative matches anything, so the groups are there even when the pattern itself would not match. */
function hasNamedGroup(pattern: string): boolean {
  return new RegExp(`${pattern}|`, 'u').exec('')?.groups !== undefined;
}

/** A regular expression, as operators compile it. */
export const regex: z.ZodString = z.string().superRefine((pattern, context) => {
  const fault = faultOf(pattern);
  if (fault !== undefined) context.addIssue(`expected a regular expression (${fault})`);
});

const fieldNames = z
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

const delimited = z.strictObject({
  format: z.literal('delimited').describe('Fields between separators.'),
  separator: name.default('|').describe('What stands between two fields.'),
  fields: fieldNames.describe('Names of the fields; the last one keeps every further separator.'),
});

const json = z.strictObject({ format: z.literal('json').describe('One JSON object a line.') });

const pattern = z.strictObject({
  format: z.literal('regex').describe('The named groups of a regular expression.'),
  pattern: regex
    .refine((text) => faultOf(text) !== undefined || hasNamedGroup(text), {
      error: 'expected at least one named group: (?<name>…)',
    })
    .describe('A regular expression (flag u) whose named groups become fields.'),
  maxInputChars: z.int().min(1).default(32_768).describe('Longer texts are not tried: they become dead letters.'),
});

const formats = ['delimited', 'json', 'regex'];
const parseKeys = new Set([delimited, json, pattern].flatMap(({ shape }) => Object.keys(shape)));

export const parseOptions: z.ZodType<ParseOptions> = z
  .discriminatedUnion('format', [delimited, json, pattern])
  .superRefine((value: { format?: unknown }, context) => {
    // Without a known format no branch has looked at the keys.
    if (formats.includes(String(value.format))) return;
    for (const key of Object.keys(value).filter((each) => !parseKeys.has(each))) {
      const message = `unknown key, expected one of ${[...parseKeys].join(', ')}`;
      context.addIssue({ code: 'custom', path: [key], message, params: { atKey: true, nearestOf: [...parseKeys] } });
    }
  }, besideFaults)
  .describe('Takes the text of an event apart.');

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

const fieldTests = ['equals', 'matches', 'contains', 'exists'];
const tests = ['level', 'minLevel', ...fieldTests];

export const conditionOptions: z.ZodType<ConditionOptions> = z
  .strictObject({
    level: z
      .union([level, z.array(level).min(1)])
      .exactOptional()
      .describe('One of these levels.'),
    minLevel: level.exactOptional().describe('This level or a more severe one.'),
    field: name.exactOptional().describe('The field that equals, matches, contains and exists look at.'),
    equals: z
      .union([scalar, z.array(scalar).min(1)])
      .exactOptional()
      .describe('The field has this value, or one of these.'),
    matches: regex.exactOptional().describe('A regular expression (flag u) that finds something in the field.'),
    contains: z.string().exactOptional().describe('The field contains this text.'),
    exists: z.boolean().exactOptional().describe('The field is there (true) or is not (false).'),
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

export const fieldsOptions: z.ZodType<FieldsOptions> = z
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

export const stageOptions: z.ZodType<StageOptions> = exactlyOne(
  {
    parse: parseOptions,
    normalize: normalizeOptions,
    keep: conditionOptions.describe('Lets through the events for which all tests hold.'),
    drop: conditionOptions.describe('Lets through the events for which not all tests hold.'),
    fields: fieldsOptions,
  },
  'One stage: the key is the name of the operator it becomes.',
);
