import { MillraceError } from '../model/errors.js';
import { Shape } from '../model/event.js';
import type { Parser } from './parser.js';

/** A regular expression whose named groups become fields. */
export interface PatternConfig {
  readonly format: 'regex';
  readonly pattern: string;
  /** Longer lines are not tried, so that no line can occupy the processor for long. Default 32 768. */
  readonly maxInputChars?: number;
}

/** Groups that took no part in the match make no field. All but `message` are trimmed. */
export function parsePattern({ pattern, maxInputChars = 32_768 }: PatternConfig): Parser {
  const expression = new RegExp(pattern, 'u');
  // The alternative matches anything, so the names are there even when the pattern itself would not match.
  const names = Object.keys(new RegExp(`${pattern}|`, 'u').exec('')?.groups ?? {});
  if (names.length === 0) throw new MillraceError('MILLRACE_E_PARSE_PATTERN_GROUPS', pattern);
  const full = new Shape(names);
  return (event, text) => {
    if (text.length > maxInputChars) {
      return MillraceError.ofRecord(
        'MILLRACE_E_PARSE_TOO_LONG',
        `${text.length} of at most ${maxInputChars} characters`,
      );
    }
    const groups = expression.exec(text)?.groups;
    if (groups === undefined) return MillraceError.ofRecord('MILLRACE_E_PARSE_PATTERN');
    const values = names.map((name) => (name === 'message' ? groups[name] : groups[name]?.trim()));
    if (!values.includes(undefined)) return event.derive(full, values);
    return event.derive(
      new Shape(names.filter((_, slot) => values[slot] !== undefined)),
      values.filter((value) => value !== undefined),
    );
  };
}
