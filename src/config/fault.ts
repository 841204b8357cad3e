import { distance } from 'fastest-levenshtein';
import { LineCounter } from 'yaml';
import { MillraceError } from '../model/errors.js';

/** One thing that is wrong with a configuration, and where. */
export interface ConfigFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Where it is in the document, e.g. `routes[0].to.file.path`; empty for the document itself. */
  readonly path: string;
  /** What was expected. */
  readonly message: string;
  /** The valid key or value that was probably meant. */
  readonly nearest?: string;
}

/** Keys and places in lists, from the document down. */
export type Path = readonly PropertyKey[];

/** `file:line:column: path: message (did you mean "…"?)`. */
export function formatFault({ file, line, column, path, message, nearest }: ConfigFault): string {
  const place = path === '' ? '' : `${path}: `;
  const hint = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
  return `${file}:${line}:${column}: ${place}${message}${hint}`;
}

/** Everything that is wrong with a configuration, by position. */
export class ConfigError extends MillraceError {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super('MILLRACE_E_CONFIG_INVALID', `\n${faults.map(formatFault).join('\n')}`);
    this.faults = faults;
  }
}

function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = String(part);
    if (!/^[\w@$-]+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** Collects the faults of one file. */
export class Faults {
  readonly #file: string;
  readonly #length: number;
  readonly #lines = new LineCounter();
  readonly #all = new Map<string, ConfigFault>();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#length = text.length;
    // Filled here and not by the parser, which overlooks a line now and then when there are faults.
    this.#lines.addNewLine(0);
    for (const { index } of text.matchAll(/\n/g)) this.#lines.addNewLine(index + 1);
  }

  add(offset: number, path: Path, message: string, nearest?: string): void {
    // What is missing at the end is missing behind it, for the parser.
    const { line, col } = this.#lines.linePos(Math.min(offset, this.#length));
    const place = { file: this.#file, line, column: col, path: pathText(path) };
    const fault = nearest === undefined ? { ...place, message } : { ...place, message, nearest };
    // What an alias repeats is one fault.
    this.#all.set(formatFault(fault), fault);
  }

  /** The line of an offset, from 1. */
  lineOf(offset: number): number {
    return this.#lines.linePos(offset).line;
  }

  get sorted(): readonly ConfigFault[] {
    return [...this.#all.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** The candidate that was probably meant: one that begins like it, or one that few keystrokes turn it into. */
export function nearestTo(given: string, candidates: readonly string[]): string | undefined {
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.round(wanted.length * 0.4)) + 1;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    const far = wanted.length > 2 && known.startsWith(wanted) ? 1 : distance(wanted, known);
    if (far < least) [best, least] = [candidate, far];
  }
  return best;
}
