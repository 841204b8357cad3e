import type { DeadLetter } from '../../model/dead-letter.js';
import { MillraceError } from '../../model/errors.js';
import type { LogEvent } from '../../model/event.js';
import { severityOf } from '../../model/severity.js';

/** How lines for people look. */
export interface PrettyOptions {
  /** Whether the terminal understands ANSI colours. */
  readonly colours: boolean;
}

/** C0 and C1 control characters, DEL, line and paragraph separators, and the marks that turn the direction of text. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '    ' };

/** The text with everything that could act on a terminal made visible: `\x1b`, `\n`, `\u202e`. A tab becomes four spaces. */
export function neutralise(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return NAMED[character] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`);
  });
}

/** The same for a JSON text, which stays the same JSON. */
export function neutraliseJson(json: string): string {
  return json.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const RESET = '\u001b[0m';
const DIM = '\u001b[2m';
const RED = '\u001b[31m';

/** The colour of the highest of these severities that is not above the event's. */
const COLOURS: readonly (readonly [severity: number, code: string])[] = [
  [21, '\u001b[1;97;41m'],
  [17, RED],
  [13, '\u001b[33m'],
  [9, '\u001b[32m'],
  [5, '\u001b[36m'],
  [0, DIM],
];

function coloured(text: string, code: string, { colours }: PrettyOptions): string {
  return colours && text !== '' ? `${code}${text}${RESET}` : text;
}

/** Shown in a place of their own, or said twice. */
const PLACED = new Set([
  '@timestamp',
  'time',
  'log.level',
  'level',
  'event.severity',
  'message',
  'service.name',
  'service',
  'log.file.path',
]);

/**
 * An event as one line: `HH:mm:ss.SSS LEVEL service message key=value…`, the time in UTC, the file's name where no
 * service is known. What an event does not have is left out, so a line that was not parsed is shown as it is. The
 * origin's fields, the same for every event, are not shown. Never a line break, never a control character.
 */
export function prettyLine(event: LogEvent, options: PrettyOptions): string {
  const level = textOf(event.get('log.level') ?? event.get('level'));
  const time = clockTime(textOf(event.get('@timestamp') ?? event.get('time')));
  return [
    coloured(time, DIM, options),
    coloured(
      neutralise(level)
        .toUpperCase()
        .padEnd(level === '' ? 0 : 5),
      colourOf(event, level),
      options,
    ),
    coloured(place(event), DIM, options),
    neutralise(textOf(event.get('message'))),
    coloured(furtherFields(event), DIM, options),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** `10:11:12.345` of an RFC 3339 time; another text as it is. */
function clockTime(time: string): string {
  return /^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d{3})\d*Z$/.exec(time)?.[1] ?? neutralise(time);
}

function colourOf(event: LogEvent, level: string): string {
  const known = event.get('event.severity');
  const severity = typeof known === 'number' ? known : (severityOf(level) ?? 9);
  return COLOURS.find(([least]) => severity >= least)?.[1] ?? DIM;
}

function place(event: LogEvent): string {
  const service = textOf(event.get('service.name') ?? event.get('service'));
  const path = textOf(event.get('log.file.path'));
  return neutralise(service === '' ? path.slice(path.lastIndexOf('/') + 1) : service);
}

function furtherFields(event: LogEvent): string {
  return event.shape.keys
    .map((key, slot) => [key, event.values[slot]] as const)
    .filter(([key, value]) => !PLACED.has(key) && value !== undefined)
    .map(([key, value]) => `${neutralise(key)}=${neutralise(shown(value))}`)
    .join(' ');
}

/** A text with spaces, quotes or nothing in it between quotes, so that one sees where it ends; the rest as JSON. */
function shown(value: unknown): string {
  return typeof value === 'string' && value !== '' && !/[\s"=]/.test(value) ? value : json(value);
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : json(value);
}

function json(value: unknown): string {
  // undefined for what JSON cannot say.
  const text = JSON.stringify(value) as string | undefined;
  return text ?? '';
}

/** The most characters of an original line that are shown of a dead letter. */
const MAX_ORIGINAL_CHARS = 200;

/** A dead letter as one line: `CODE message path:offset original`, the original cut to 200 characters. */
export function prettyDeadLetter({ origin, record, reason }: DeadLetter, options: PrettyOptions): string {
  const path = textOf(origin.fields['log.file.path']);
  const from = `${path === '' ? origin.incarnation : path}:${record.offset}`;
  const original = shortened(record.text);
  const code = reason instanceof MillraceError ? reason.code : reason.name;
  return [
    coloured(neutralise(code), RED, options),
    neutralise(reason.message),
    coloured(neutralise(from), DIM, options),
    neutralise(original),
  ].join(' ');
}

function shortened(text: string): string {
  if (text.length <= MAX_ORIGINAL_CHARS) return text;
  return `${text.slice(0, MAX_ORIGINAL_CHARS)}… (${text.length} characters)`;
}
