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

function flatten(object: JsonObject, prefix: string, depth: number, fields: Map<string, unknown>): void {
  for (const [key, value] of Object.entries(object)) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (isObject(value) && depth < MAX_DEPTH && Object.keys(value).length > 0) flatten(value, name, depth + 1, fields);
    else fields.set(name, value);
  }
}

/** The shape of the last line serves the next one when the names are the same, which they mostly are. */
export function parseJson(): Parser {
  let shape = new Shape([]);
  return (event, text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return new MillraceError('MILLRACE_E_PARSE_JSON', messageOf(error));
    }
    if (!isObject(value)) return new MillraceError('MILLRACE_E_PARSE_JSON');
    const fields = new Map<string, unknown>();
    flatten(value, '', 1, fields);
    const keys = [...fields.keys()];
    if (keys.length !== shape.keys.length || keys.some((key, slot) => key !== shape.keys[slot]))
      shape = new Shape(keys);
    return event.derive(shape, [...fields.values()]);
  };
}
