import { MillraceError } from '../model/errors.js';
import { Shape } from '../model/event.js';
import type { Parser } from './parser.js';

/** `key=value` pairs, as Heroku and Go programs write them. */
export interface LogfmtConfig {
  readonly format: 'logfmt';
}

const QUOTE = 34;
const EQUALS = 61;
const BACKSLASH = 92;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** As in JSON; before any other character the backslash only says to take it as it is. */
function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-f]{4})|([^]))/gi, (_, hex?: string, char?: string) =>
    hex === undefined ? (ESCAPES[char ?? ''] ?? char ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Where the quoted text that begins at `from` has its closing quote, or -1. */
function closingQuote(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return -1;
}

function wordEnd(text: string, from: number, stopsAtEquals: boolean): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 32 || (stopsAtEquals && code === EQUALS)) break;
  }
  return at;
}

/** The fields of a line, or why it has none. */
function fieldsOf(text: string): Map<string, unknown> | string {
  const fields = new Map<string, unknown>();
  let hasPair = false;
  let at = 0;
  while (at < text.length) {
    const from = at;
    at = wordEnd(text, from, true);
    const key = text.substring(from, at);
    if (text.charCodeAt(at) !== EQUALS) {
      if (key !== '') fields.set(key, true);
      at++;
      continue;
    }
    if (key === '') return `no key before = at ${at}`;
    hasPair = true;
    const valueFrom = at + 1;
    const isQuoted = text.charCodeAt(valueFrom) === QUOTE;
    at = isQuoted ? closingQuote(text, valueFrom) : wordEnd(text, valueFrom, false);
    if (at < 0) return `the quote at ${valueFrom} is not closed`;
    const value = text.substring(isQuoted ? valueFrom + 1 : valueFrom, at);
    fields.set(key, isQuoted && value.includes('\\') ? unescaped(value) : value);
    if (isQuoted) at++;
  }
  return hasPair ? fields : 'no key=value pair';
}

/**
 * Pairs between spaces; a key alone is true; of a key that comes twice the last value is kept. Values are texts, in
 * quotes (with JSON's escapes) where they have spaces. A line without a pair, or with an open quote, is a fault.
 */
export function parseLogfmt(): Parser {
  let shape = new Shape([]);
  return (event, text) => {
    const fields = fieldsOf(text);
    if (typeof fields === 'string') return MillraceError.ofRecord('MILLRACE_E_PARSE_LOGFMT', fields);
    const keys = [...fields.keys()];
    // The shape of the last line serves the next one when the names are the same, which they mostly are.
    if (keys.length !== shape.keys.length || keys.some((key, slot) => key !== shape.keys[slot]))
      shape = new Shape(keys);
    return event.derive(shape, [...fields.values()]);
  };
}
