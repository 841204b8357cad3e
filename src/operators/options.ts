import type { z } from 'zod';
import type { Condition } from './condition.js';
import type { DedupeConfig } from './dedupe.js';
import type { FieldsConfig } from './fields.js';
import { conditionOptions, keepOptions } from './options/condition.js';
import type { KeepOptions } from './options/condition.js';
import { dedupeOptions } from './options/dedupe.js';
import { exactlyOne } from './options/exactly-one.js';
import type { ExactlyOne } from './options/exactly-one.js';
import { fieldsOptions } from './options/fields.js';
import { normalizeOptions } from './options/normalize.js';
import type { NormalizeOptions } from './options/normalize.js';
import { parseOptions } from './options/parse.js';
import { sampleOptions } from './options/sample.js';
import { throttleOptions } from './options/throttle.js';
import { redactOptions } from './options/redact.js';
import type { RedactOptions } from './options/redact.js';
import type { ParseConfig } from './parse.js';
import type { SampleConfig } from './sample.js';
import type { ThrottleConfig } from './throttle.js';

export { exactlyOne } from './options/exactly-one.js';
export type { ExactlyOne } from './options/exactly-one.js';
export type { NormalizeOptions } from './options/normalize.js';
export type { KeepOptions } from './options/condition.js';
export type { RedactOptions } from './options/redact.js';
export { scalar } from './options/values.js';
export type { Scalar } from './options/values.js';

/** One stage: the key is the name of the operator it becomes. */
export type StageOptions = ExactlyOne<{
  parse: ParseConfig;
  normalize: NormalizeOptions;
  keep: KeepOptions;
  drop: Condition;
  fields: FieldsConfig;
  sample: SampleConfig;
  dedupe: DedupeConfig;
  throttle: ThrottleConfig;
  redact: RedactOptions;
}>;

export const stageOptions: z.ZodType<StageOptions> = exactlyOne(
  {
    parse: parseOptions,
    normalize: normalizeOptions,
    keep: keepOptions.describe('Lets through the events for which all tests hold.'),
    drop: conditionOptions.describe('Lets through the events for which not all tests hold.'),
    fields: fieldsOptions,
    sample: sampleOptions,
    dedupe: dedupeOptions,
    throttle: throttleOptions,
    redact: redactOptions,
  },
  'One stage: the key is the name of the operator it becomes.',
);
