import { core } from 'zod';
import type { z } from 'zod';
import { validate } from '../../config/expectation.js';
import { MillraceError } from '../../model/errors.js';

/**
 * Options that somebody gave in code, checked and completed by the declaration that configurations are read with. Throws
 * MILLRACE_E_CONFIG_INVALID with everything that is wrong. `name`: what gets them.
 */
export function validated<T>(schema: z.ZodType<T>, options: unknown, name: string): T {
  const result = validate(schema, options);
  if ('data' in result) return result.data;
  const faults = result.map(({ path, message }) => `${path.length === 0 ? '' : `${core.toDotPath(path)}: `}${message}`);
  throw new MillraceError('MILLRACE_E_CONFIG_INVALID', `${name}: ${faults.join('; ')}`);
}
