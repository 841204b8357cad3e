import { z } from 'zod';

/** When a file is set aside for a new one, and how long those that were are kept. */
export interface RotateOptions {
  /** No file grows beyond it, except by a single longer line. */
  readonly maxBytes?: number;
  /** A new file at each full hour or day, UTC. */
  readonly every?: 'hour' | 'day';
  /** The most rotated files; the oldest go first. */
  readonly keep?: number;
  /** Rotated files that are older than these days are removed. */
  readonly maxAgeDays?: number;
}

/** Where and how events are written. */
export interface FileSinkOptions {
  /** The file; its folder is made if there is none. */
  readonly path: string;
  /** json: the event as flat JSON; raw: the line as it was read. */
  readonly format: 'json' | 'raw';
  /** When the file is renamed to path.1, path.2 … and begun anew; never when not given. */
  readonly rotate?: RotateOptions;
  /** Whether rotated files are compressed, to path.1.gz and so on. */
  readonly gzip?: boolean;
}

const rotate: z.ZodType<RotateOptions> = z
  .strictObject({
    maxBytes: z
      .int()
      .min(1024)
      .exactOptional()
      .describe('No file grows beyond these bytes, except by a single longer line.'),
    every: z.enum(['hour', 'day']).exactOptional().describe('A new file at each full hour or day, UTC.'),
    keep: z.int().min(1).exactOptional().describe('The most rotated files; the oldest go first.'),
    maxAgeDays: z
      .number()
      .positive()
      .exactOptional()
      .describe('Rotated files that are older than these days are removed.'),
  })
  .refine(({ maxBytes, every }) => maxBytes !== undefined || every !== undefined, {
    message: 'expected maxBytes or every: nothing says when to rotate',
  })
  .describe('When the file is renamed to path.1, path.2 … and begun anew; never when not given.');

export const fileSinkOptions: z.ZodType<FileSinkOptions> = z
  .strictObject({
    path: z.string().min(1).describe('The file; its folder is made if there is none.'),
    format: z
      .enum(['json', 'raw'])
      .default('json')
      .describe('json: the event as flat JSON; raw: the line as it was read.'),
    rotate: rotate.exactOptional(),
    gzip: z.boolean().exactOptional().describe('Whether rotated files are compressed, to path.1.gz and so on.'),
  })
  .refine(({ rotate: rotates, gzip }) => gzip !== true || rotates !== undefined, {
    path: ['gzip'],
    message: 'expected rotate beside it: only rotated files are compressed',
  })
  .describe('Appends to a file, each line once.');
