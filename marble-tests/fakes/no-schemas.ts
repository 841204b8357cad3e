import { NEVER } from 'rxjs';
import type { Schemas } from '../../src/model/schemas.js';

/** A registry for those that have nothing to ask it. */
export const noSchemas: Schemas = { reader: () => NEVER, writer: () => NEVER };
