import { createHmac } from 'node:crypto';
import { dedupe } from '../operators/dedupe.js';
import { drop } from '../operators/drop.js';
import { fields } from '../operators/fields.js';
import { keep } from '../operators/keep.js';
import { keepUnusual } from '../operators/keep-unusual.js';
import { normalize } from '../operators/normalize.js';
import type { KeepOptions, NormalizeOptions, RedactOptions, StageOptions } from '../operators/options.js';
import { parse } from '../operators/parse.js';
import { redact } from '../operators/redact.js';
import { sample } from '../operators/sample.js';
import type { RememberingStage } from '../operators/remembering.js';
import type { Stage } from '../operators/stage.js';
import { throttle } from '../operators/throttle.js';
import { KNOWN_FORMATS } from './known-formats.js';
import { timeReader } from './time-reader.js';

/** The operator that a stage of a configuration becomes. */
export function stageOf(options: StageOptions): Stage | RememberingStage {
  if ('parse' in options) return parse(options.parse);
  if ('normalize' in options) return normalizeOf(options.normalize);
  if ('keep' in options) return keepOf(options.keep);
  if ('drop' in options) return drop(options.drop);
  if ('sample' in options) return sample(options.sample);
  if ('dedupe' in options) return dedupe(options.dedupe);
  if ('throttle' in options) return throttle(options.throttle);
  if ('redact' in options) return redactOf(options.redact);
  return fields(options.fields);
}

function keepOf(options: KeepOptions): Stage | RememberingStage {
  const { field, aboveQuantile, anomalyAbove } = options;
  const isFollowingData = aboveQuantile !== undefined || anomalyAbove !== undefined;
  return isFollowingData && field !== undefined ? keepUnusual({ ...options, field }) : keep(options);
}

/** 64 bits: enough to tell values apart, and few enough to stay readable. */
const HASH_DIGITS = 16;

function redactOf({ key, with: stands, ...rest }: RedactOptions): Stage {
  if (stands === 'mask' || key === undefined) return redact(rest);
  return redact({
    ...rest,
    hash: (value) => createHmac('sha256', key).update(value).digest('hex').slice(0, HASH_DIGITS),
  });
}

function normalizeOf({ timeFormats, timeZone }: NormalizeOptions): Stage {
  const isUtc = timeZone === 'UTC';
  // ISO 8601 without a zone is only read by the stage itself when it is UTC.
  const formats = [...(timeFormats ?? COMMON_TIMES), ...(isUtc ? [] : LOCAL_ISO)];
  return normalize({ isUtc, readTime: timeReader(formats, timeZone) });
}

/** How times are written in the formats that are known: tried when the configuration names none. */
const COMMON_TIMES = [...new Set(KNOWN_FORMATS.flatMap(({ timeFormats = [] }) => timeFormats))];

const LOCAL_ISO = ["yyyy-MM-dd'T'HH:mm:ss", 'yyyy-MM-dd HH:mm:ss'].flatMap((format) => [
  format,
  `${format}.u`,
  `${format},u`,
]);
