import { MillraceError, messageOf } from '../model/errors.js';
import { Shape } from '../model/event.js';
import type { Parser } from './parser.js';

/** A line that is one JSON object. Objects inside become dotted names, arrays stay as they are. */
export interface JsonConfig {
  readonly format: 'json';
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper objects are kept whole: a bound for hostile input, far beyond what loggers write. */
const MAX_DEPTH = 16;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Nothing that reads or writes JSON later on, some of it by recursion, may be brought down by one line. */
const MAX_NESTING = 100;

function isTooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth > MAX_NESTING || Object.values(value).some((inner) => isTooDeep(inner, depth + 1));
}

function flatten(object: JsonObject, prefix: string, depth: number, fields: Map<string, unknown>): void {
  for (const [key, value] of Object.entries(object)) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (isObject(value) && depth < MAX_DEPTH && Object.keys(value).length > 0) flatten(value, name, depth + 1, fields);
    else if (isTooDeep(value, depth)) throw new RangeError(`nested deeper than ${MAX_NESTING}`);
    else fields.set(name, value);
  }
}

/** The shape of the last line serves the next one when the names are the same, which they mostly are. */
export function parseJson(): Parser {
  let shape = new Shape([]);
  return (event, text) => {
    const fields = new Map<string, unknown>();
    try {
      const value: unknown = JSON.parse(text);
      if (!isObject(value)) return MillraceError.ofRecord('MILLRACE_E_PARSE_JSON');
      flatten(value, '', 1, fields);
    } catch (error) {
      return MillraceError.ofRecord('MILLRACE_E_PARSE_JSON', messageOf(error));
    }
    const keys = [...fields.keys()];
    if (keys.length !== shape.keys.length || keys.some((key, slot) => key !== shape.keys[slot]))
      shape = new Shape(keys);
    return event.derive(shape, [...fields.values()]);
  };
}
