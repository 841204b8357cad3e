import { MillraceError } from '../model/errors.js';
import { Shape } from '../model/event.js';
import { severityWithin } from '../model/severity.js';
import type { Parser } from './parser.js';
import type { LevelHints } from './stage.js';

/** Text with a separator between fields; the last field keeps every further separator. */
export interface DelimitedConfig {
  readonly format: 'delimited';
  readonly separator: string;
  readonly fields: readonly string[];
}

function trimmed(text: string): string {
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  // Almost always there is nothing to trim, and then there is nothing to copy.
  return first > 32 && last > 32 && first < 128 && last < 128 ? text : text.trim();
}

/** All fields but `message` are trimmed; fewer fields than named is a fault. */
export function parseDelimited({ separator, fields }: DelimitedConfig): Parser {
  const shape = new Shape(fields);
  const count = fields.length;
  const last = count - 1;
  const verbatim = fields.map((field) => field === 'message');
  return (event, text) => {
    const values = new Array<unknown>(count);
    let from = 0;
    for (let slot = 0; slot < last; slot++) {
      const to = text.indexOf(separator, from);
      if (to < 0) return MillraceError.ofRecord('MILLRACE_E_PARSE_FIELDS', `${slot + 1} of ${count}`);
      const value = text.substring(from, to);
      values[slot] = verbatim[slot] === true ? value : trimmed(value);
      from = to + separator.length;
    }
    const rest = text.substring(from);
    values[last] = verbatim[last] === true ? rest : trimmed(rest);
    return event.derive(shape, values);
  };
}

/** Fields that say the severity of an event before its level does. */
const STRONGER = ['event.severity', 'log.level'];

/** Finds places in one text after the other, without looking again at what it has seen. */
function finderOf(separator: string): (text: string, from: number) => number {
  let seen = '';
  let seenFrom = 0;
  let seenAt = -1;
  return (text, from) => {
    // A text of many lines that have no separator would be searched to its end for each of them.
    if (text === seen && from >= seenFrom && from <= seenAt) return seenAt;
    const found = text.indexOf(separator, from);
    const at = found < 0 ? Infinity : found;
    if (at - from > FAR) {
      seen = text;
      seenFrom = from;
      seenAt = at;
    }
    return at;
  };
}

/** Shorter ways are quicker gone again than remembered. */
const FAR = 256;

/** Finds the severity of a text that parses without taking the rest of it apart. */
export function severityOfDelimited({ separator, fields }: DelimitedConfig): LevelHints['severityOf'] {
  const slot = fields.indexOf('level');
  const last = fields.length - 1;
  if (slot < 0 || fields.lastIndexOf('level') !== slot || fields.some((field) => STRONGER.includes(field))) {
    return undefined;
  }
  const find = finderOf(separator);
  return (text, from, to) => {
    let at = from;
    let levelFrom = from;
    let levelTo = to;
    for (let field = 0; field < last; field++) {
      const end = find(text, at);
      if (end + separator.length > to) return undefined;
      if (field === slot) {
        levelFrom = at;
        levelTo = end;
      }
      at = end + separator.length;
    }
    return severityWithin(text, slot === last ? at : levelFrom, levelTo);
  };
}
