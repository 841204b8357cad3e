import { z } from 'zod';

/** Where and how events are written. */
export interface FileSinkOptions {
  /** The file; its folder is made if there is none. */
  readonly path: string;
  /** json: the event as flat JSON; raw: the line as it was read. */
  readonly format: 'json' | 'raw';
}

export const fileSinkOptions: z.ZodType<FileSinkOptions> = z
  .strictObject({
    path: z.string().min(1).describe('The file; its folder is made if there is none.'),
    format: z
      .enum(['json', 'raw'])
      .default('json')
      .describe('json: the event as flat JSON; raw: the line as it was read.'),
  })
  .describe('Appends to a file, each line once.');
