import { LogEvent, Shape } from '../model/event.js';
import type { Origin } from '../model/event.js';
import type { Json } from '../model/json.js';
import { textOf } from './search-asking.js';
import { neutralise, neutraliseJson, prettyLine } from '../sinks/console/pretty.js';
import type { AnswerColumn } from '../sinks/duckdb/database.js';

type Fields = Readonly<Record<string, Json>>;

/** How events are written. */
export interface OutputOptions {
  readonly isJson: boolean;
  readonly colours: boolean;
}

const NOBODY: Origin = {
  incarnation: '',
  fields: {},
  outcome: { filtered: () => undefined, rejected: () => undefined, expanded: () => undefined },
};

/**
 * The event that a row is: its columns, without the empty ones and those of the query itself, then what is in `fields`,
 * then `event.id`, as a file sink writes it.
 */
export function eventFields(columns: readonly AnswerColumn[], row: readonly Json[]): Fields {
  const fields: Record<string, Json> = {};
  columns.forEach(({ name }, at) => {
    const value = row[at] ?? null;
    if (value !== null && !PLACED.includes(name)) define(fields, name, value);
  });
  const placed = (wanted: string): Json => row[columns.findIndex(({ name }) => name === wanted)] ?? null;
  for (const [name, value] of Object.entries(placed('fields') ?? {})) define(fields, name, value as Json);
  define(fields, 'event.id', placed('event.id'));
  return fields;
}

/** What has a place of its own, or belongs to the query. */
const PLACED = ['fields', 'event.id', 'time', 'row'];

/** A field may have any name, `__proto__` too. */
function define(fields: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** An event as a line of flat JSON, or for people: its date, then as the console shows it. */
export function eventLine(fields: Fields, { isJson, colours }: OutputOptions): string {
  if (isJson) return jsonLine(fields);
  const keys = Object.keys(fields).filter((key) => key !== 'event.id');
  const values = keys.map((key) => fields[key]);
  const event = LogEvent.of(NOBODY, { offset: 0, text: '' }).derive(new Shape(keys), values);
  const date = /^\d{4}-\d\d-\d\d(?=T)/.exec(textOf(fields['@timestamp']))?.[0];
  const line = prettyLine(event, { colours });
  if (date === undefined) return line;
  return `${colours ? `${DIM}${date}${RESET}` : date} ${line}`;
}

const DIM = '\u001b[2m';
const RESET = '\u001b[0m';

/** Flat JSON that cannot act on a terminal. */
export function jsonLine(fields: Fields): string {
  return neutraliseJson(JSON.stringify(fields));
}

/** How often a value is there. */
export interface Count {
  readonly value: string | null;
  readonly count: number;
}

const BAR_WIDTH = 30;
const MAX_VALUE_WIDTH = 60;

/** Values with their counts, shares of the total and bars, one a line. */
export function countLines(counts: readonly Count[], total: number): readonly string[] {
  const most = Math.max(1, ...counts.map(({ count }) => count));
  const names = counts.map(({ value }) => cut(value === null ? '(none)' : neutralise(value), MAX_VALUE_WIDTH));
  const width = Math.max(0, ...names.map((name) => name.length));
  const countWidth = String(most).length;
  return counts.map(({ count }, at) => {
    const share = `${((100 * count) / Math.max(1, total)).toFixed(1)} %`.padStart(7);
    const bar = '█'.repeat(Math.max(1, Math.round((BAR_WIDTH * count) / most)));
    return `${(names[at] ?? '').padEnd(width)}  ${String(count).padStart(countWidth)}  ${share}  ${bar}`;
  });
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

const MAX_CELL_WIDTH = 100;

/** Rows below their columns' names; the first run of rows decides how wide the columns are. */
export class Table {
  readonly #names: readonly string[];
  #widths: readonly number[] | undefined;

  constructor(columns: readonly AnswerColumn[]) {
    this.#names = columns.map(({ name }) => neutralise(name));
  }

  lines(rows: readonly (readonly Json[])[]): readonly string[] {
    const cells = rows.map((row) => row.map(cellText));
    const widths = this.#widths ?? this.#widthsOf(cells);
    const head = this.#widths === undefined ? [this.#names, widths.map((width) => '─'.repeat(width))] : [];
    this.#widths = widths;
    return [...head, ...cells].map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }

  #widthsOf(cells: readonly (readonly string[])[]): readonly number[] {
    return this.#names.map((name, at) =>
      Math.min(
        MAX_CELL_WIDTH,
        cells.reduce((widest, row) => Math.max(widest, row[at]?.length ?? 0), name.length),
      ),
    );
  }
}

function cellText(value: Json): string {
  return neutralise(textOf(value));
}

/** What EXPLAIN has drawn is several lines, which stand for themselves. */
export function planLines(columns: readonly AnswerColumn[], rows: readonly (readonly Json[])[]): readonly string[] {
  const at = columns.findIndex(({ name }) => name === 'explain_value');
  return rows.flatMap((row) => textOf(row[at]).split('\n')).map(neutralise);
}
