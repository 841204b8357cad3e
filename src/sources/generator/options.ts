import { z } from 'zod';
import type { Scalar } from '../../operators/options.js';
import { extraFields } from '../options.js';

/** Which lines are made up, and how fast. */
export interface GeneratorOptions {
  /** Lines per second. */
  readonly rate: number;
  /** How many lines; without it, until the end. */
  readonly count?: number;
  /** The same seed makes the same lines. */
  readonly seed: number;
  /** What a line looks like. */
  readonly format: 'delimited' | 'json' | 'apache';
  /** Whether something goes wrong now and then. */
  readonly anomaly: boolean;
  /** Fields that every event gets. */
  readonly fields: Readonly<Record<string, Scalar>>;
}

export const generatorOptions: z.ZodType<GeneratorOptions> = z
  .strictObject({
    rate: z.number().positive().default(10).describe('Lines per second.'),
    count: z.int().min(0).exactOptional().describe('How many lines; without it, until the end.'),
    seed: z.int().default(1).describe('The same seed makes the same lines.'),
    format: z.enum(['delimited', 'json', 'apache']).default('delimited').describe('What a line looks like.'),
    anomaly: z.boolean().default(true).describe('Whether something goes wrong now and then.'),
    fields: extraFields,
  })
  .describe('Makes up log lines.');
