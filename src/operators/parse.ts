import { MillraceError } from '../model/errors.js';
import { rawShape } from '../model/event.js';
import { parseDelimited, severityOfDelimited } from './parse-delimited.js';
import type { DelimitedConfig } from './parse-delimited.js';
import { parseJson } from './parse-json.js';
import type { JsonConfig } from './parse-json.js';
import { parseLogfmt } from './parse-logfmt.js';
import type { LogfmtConfig } from './parse-logfmt.js';
import type { Parser } from './parser.js';
import { parsePattern } from './parse-pattern.js';
import type { PatternConfig } from './parse-pattern.js';
import { stage } from './stage.js';
import type { LevelHints, Stage } from './stage.js';

/** How the text of an event is taken apart. */
export type ParseConfig = DelimitedConfig | JsonConfig | LogfmtConfig | PatternConfig;

function parserOf(config: ParseConfig): Parser {
  switch (config.format) {
    case 'delimited':
      return parseDelimited(config);
    case 'json':
      return parseJson();
    case 'logfmt':
      return parseLogfmt();
    case 'regex':
      return parsePattern(config);
  }
}

function hintsOf(config: ParseConfig): LevelHints {
  const severityOf = config.format === 'delimited' ? severityOfDelimited(config) : undefined;
  return severityOf === undefined ? {} : { severityOf };
}

function isBlank(text: string): boolean {
  // Only white space and control characters come before 33, so most lines are decided by their first character.
  return text.length === 0 || (text.charCodeAt(0) < 33 && text.trim() === '');
}

/**
 * Takes the text of each event, its `message`, apart into fields. Field names may be dotted (`log.level`).
 *
 * - what does not parse is reported to the event's origin as rejected, with a MILLRACE_E_PARSE_… error, and not emitted;
 *   blank lines are reported as filtered; events without a text are passed on.
 * - on error, on complete, on unsubscribe: as the source.
 * - never emits an event whose text it could not take apart.
 * - keeps the order; memory: none that grows.
 *
 * ```marbles
 * source  -a-b-c-|
 * > parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] })
 * output  -x-----|
 * where   a: line('INFO|all is well'), b: line('INFO'), c: line('  ')
 * where   x: { level: 'INFO', message: 'all is well' }
 * ```
 *
 * @example
 * ```ts
 * events('12:00|INFO|started | ok', 'no separator')
 *   .pipe(parse({ format: 'delimited', separator: '|', fields: ['time', 'level', 'message'] }))
 *   .subscribe((event) => console.log(event.fields));
 * // → { time: '12:00', level: 'INFO', message: 'started | ok' }
 * ```
 */
export function parse(config: ParseConfig): Stage {
  const parser = parserOf(config);
  return stage((event) => {
    const text = event.shape === rawShape ? event.values[0] : event.get('message');
    if (typeof text !== 'string') return event;
    if (isBlank(text)) {
      event.origin.outcome.filtered();
      return undefined;
    }
    const parsed = parser(event, text);
    if (!(parsed instanceof MillraceError)) return parsed;
    event.origin.outcome.rejected(event, parsed);
    return undefined;
  }, hintsOf(config));
}
