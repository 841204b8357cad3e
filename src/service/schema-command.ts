import { jsonSchema } from '../config/schema.js';
import type { CommandIo } from './command-io.js';

/** `schema`: the JSON Schema of one pipeline, for editors. Gives the exit code. */
export function schema(args: readonly string[], { stdout, stderr }: CommandIo): number {
  if (args.length > 0) {
    stderr.write(`schema takes no arguments, but has ${args.join(' ')}\nusage: millrace schema\n`);
    return 1;
  }
  stdout.write(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
  return 0;
}
