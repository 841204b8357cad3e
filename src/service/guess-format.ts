import { severityOf } from '../model/severity.js';
import type { FieldsConfig } from '../operators/fields.js';
import type { NormalizeOptions, StageOptions } from '../operators/options.js';
import { ECS_NAMES, KNOWN_FORMATS } from './known-formats.js';
import type { KnownFormat } from './known-formats.js';

/** What a log looks like, and the stages that read it. */
export interface Guess {
  /** For people: `log4j: time - level [thread] - message`. */
  readonly name: string;
  /** As in a configuration, defaults filled in. Empty for plain lines. */
  readonly stages: readonly StageOptions[];
  /** How many of the lines that begin a record fit, from 0 to 1. */
  readonly share: number;
}

/** Something a log may look like. */
interface Candidate {
  readonly name: string;
  readonly stages: readonly StageOptions[];
  fits(line: string): boolean;
}

/** A candidate that fits fewer lines is not believed. */
const LEAST_SHARE = 0.5;
/** A more particular candidate is preferred though it fits this much less. */
const MAX_LESS = 0.02;
/** As the stage does. */
const MAX_INPUT_CHARS = 32_768;

/**
 * Guesses from some of its lines how a log is written: JSON, fields between separators, or a form that is known. What
 * continues a record (a stack trace) and blank lines are not counted. Plain lines when nothing fits half of the lines.
 */
export function guessFormat(lines: readonly string[]): Guess {
  const heads = headsOf(lines);
  const rated = candidatesFor(heads).map((candidate) => ({ candidate, share: shareOf(candidate, heads) }));
  const best = Math.max(0, ...rated.map(({ share }) => share));
  const chosen = rated.find(({ share }) => share >= Math.max(LEAST_SHARE, best - MAX_LESS));
  if (chosen === undefined) return { name: 'plain lines', stages: [], share: 1 };
  const { name, stages } = chosen.candidate;
  return { name, stages, share: chosen.share };
}

/** Lines that go on with the record before them: indented, or in the manner of Java, Python and Node. */
const CONTINUATION = /^(?:\s|Caused by:|Traceback |[\w.$]+(?:Exception|Error)\b|\.\.\. \d+ more)/;

function headsOf(lines: readonly string[]): readonly string[] {
  const filled = lines.filter((line) => line.trim() !== '');
  const heads = filled.filter((line) => !CONTINUATION.test(line));
  return heads.length > 0 ? heads : filled;
}

function shareOf(candidate: Candidate, lines: readonly string[]): number {
  return lines.length === 0 ? 0 : lines.filter((line) => candidate.fits(line)).length / lines.length;
}

function candidatesFor(lines: readonly string[]): readonly Candidate[] {
  return [jsonCandidate(lines), ...DELIMITED, ...KNOWN];
}

function normalize(timeFormats?: readonly string[]): StageOptions {
  const options: NormalizeOptions = { timeZone: 'UTC' };
  return { normalize: timeFormats === undefined ? options : { ...options, timeFormats } };
}

function renamed(rename: FieldsConfig['rename'] & object): readonly StageOptions[] {
  return Object.keys(rename).length > 0 ? [{ fields: { rename } }] : [];
}

/** What loggers call time, level and message in JSON, the most usual first. */
const JSON_NAMES: Readonly<Record<string, readonly string[]>> = {
  time: ['time', '@timestamp', 'timestamp', 'ts', 'datetime', 'date', 'asctime', 't', '@t'],
  level: ['level', 'log.level', 'severity', 'lvl', 'levelname', 'loglevel', 'log_level', '@l'],
  message: ['message', 'msg', 'text', 'log', '@m'],
};
/** Names that normalize, or everybody, knows already. */
const UNDERSTOOD = ['@timestamp', 'log.level'];

function jsonCandidate(lines: readonly string[]): Candidate {
  const objects = lines.flatMap((line) => jsonObject(line) ?? []);
  const rename: Record<string, string> = {};
  for (const [to, names] of Object.entries(JSON_NAMES)) {
    const from = names.find((name) => objects.some((object) => Object.hasOwn(object, name)));
    if (from !== undefined && from !== to && !UNDERSTOOD.includes(from)) rename[from] = to;
  }
  return {
    name: 'JSON',
    stages: [{ parse: { format: 'json' } }, ...renamed(rename), normalize()],
    fits: (line) => jsonObject(line) !== undefined,
  };
}

function jsonObject(line: string): object | undefined {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A way to write the time in a field. */
interface TimeStyle {
  readonly pattern: RegExp;
  readonly formats?: readonly string[];
}

const TIME_STYLES: readonly TimeStyle[] = [
  { pattern: /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d|^\d{9,10}(?:\.\d+)?$|^\d{12,13}$/ },
  {
    pattern: /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?$/,
    formats: ['yyyy/MM/dd HH:mm:ss', 'yyyy/MM/dd HH:mm:ss.u', 'yyyy/MM/dd HH:mm:ss,u'],
  },
  {
    pattern: /^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d(?:[.,]\d+)?$/,
    formats: ['dd.MM.yyyy HH:mm:ss', 'dd.MM.yyyy HH:mm:ss.u', 'dd.MM.yyyy HH:mm:ss,u'],
  },
];

/** What the fields are, from the most to the least particular. */
const LAYOUTS = [
  ['time', 'service.name', 'level', 'message'],
  ['time', 'level', 'message'],
  ['level', 'time', 'message'],
];
const SEPARATORS: Readonly<Record<string, string>> = { '|': '|', '\t': 'tab', ';': ';' };

const DELIMITED: readonly Candidate[] = Object.entries(SEPARATORS).flatMap(([separator, called]) =>
  LAYOUTS.flatMap((fields) =>
    TIME_STYLES.map(({ pattern, formats }) => ({
      name: `${fields.join(', ')} between ${called}`,
      stages: [{ parse: { format: 'delimited', separator, fields } }, normalize(formats)],
      fits: (line) => fitsLayout(line.split(separator), fields, pattern),
    })),
  ),
);

function fitsLayout(cells: readonly string[], fields: readonly string[], time: RegExp): boolean {
  return cells.length >= fields.length && fields.every((field, at) => fitsField(field, cells[at]?.trim() ?? '', time));
}

function fitsField(field: string, text: string, time: RegExp): boolean {
  switch (field) {
    case 'time':
      return time.test(text);
    case 'level':
      return severityOf(text) !== undefined;
    case 'service.name':
      return /^[\w.$/-]{1,64}$/.test(text);
    default:
      return true;
  }
}

const KNOWN: readonly Candidate[] = KNOWN_FORMATS.map(knownCandidate);

function knownCandidate({ name, pattern, timeFormats }: KnownFormat): Candidate {
  const expression = new RegExp(pattern, 'u');
  const groups = Object.keys(new RegExp(`${pattern}|`, 'u').exec('')?.groups ?? {});
  const rename = Object.fromEntries(groups.flatMap((group) => (ECS_NAMES[group] ? [[group, ECS_NAMES[group]]] : [])));
  return {
    name,
    stages: [
      { parse: { format: 'regex', pattern, maxInputChars: MAX_INPUT_CHARS } },
      ...renamed(rename),
      normalize(timeFormats),
    ],
    fits: (line) => {
      const found = line.length <= MAX_INPUT_CHARS ? expression.exec(line)?.groups : undefined;
      return found !== undefined && (found.level === undefined || severityOf(found.level) !== undefined);
    },
  };
}
