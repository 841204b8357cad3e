import type { Json } from '../model/json.js';
import type { AnswerColumn } from '../sinks/duckdb/database.js';
import { allRows, askAll, textOf } from './search-asking.js';
import type { Asked, Row } from './search-asking.js';
import { histogramLines, timeAxis } from './search-histogram.js';
import type { TimeAxis } from './search-histogram.js';
import { countLines, eventFields, eventLine, jsonLine, planLines, Table } from './search-output.js';
import type { Count } from './search-output.js';
import { countQuery, everyQuery, histogramQuery, newestQuery, spanQuery } from './search-query.js';
import type { Store } from './search-store.js';
import { refuseUnknownFields } from './search-unknown-fields.js';

/** Where an answer is shown, and how. */
export interface View {
  readonly isJson: boolean;
  readonly colours: boolean;
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
  /** Resolves when the output has taken the lines. */
  write(lines: readonly string[]): Promise<void>;
}

/** How long the histogram above the events may take: they are what was asked for. */
const HISTOGRAM_MS = 300;

/** The newest events of all stores, oldest first; without a limit, all of them, as they came. True if there were some. */
export async function showEvents(asked: readonly Asked[], limit: number, view: View): Promise<boolean> {
  if (limit === 0) return showEvery(asked, view);
  if (view.isTerminal && !view.isJson) await showHistogramInTime(asked, view);
  const answers = await Promise.all(
    asked.map(async ({ store, match }) => {
      const answer = await store.answer(newestQuery(match, limit), view.signal);
      return (await allRows(answer)).map((row) => ({
        columns: answer.columns,
        row,
        time: timeOf(answer.columns, row),
      }));
    }),
  );
  // Each store's come in order, and equal times keep it.
  const newest = answers.flat().sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
  const shown = newest.slice(0, limit).reverse();
  await view.write(shown.map(({ columns, row }) => eventLine(eventFields(columns, row), view)));
  if (shown.length === 0) await refuseUnknownFields(asked, view.signal);
  return shown.length > 0;
}

function timeOf(columns: readonly AnswerColumn[], row: Row): string {
  const time = textOf(row[columns.findIndex(({ name }) => name === 'time')]);
  // Milliseconds and microseconds compare as texts when they are equally long.
  return time.replace(/(\.\d+)Z$/, (_, fraction: string) => fraction.padEnd(7, '0'));
}

async function showEvery(asked: readonly Asked[], view: View): Promise<boolean> {
  let isFound = false;
  for (const { store, match } of asked) {
    const { columns, rows } = await store.answer(everyQuery(match), view.signal);
    for await (const run of rows) {
      isFound ||= run.length > 0;
      await view.write(run.map((row) => eventLine(eventFields(columns, row), view)));
    }
  }
  if (!isFound) await refuseUnknownFields(asked, view.signal);
  return isFound;
}

async function showHistogramInTime(asked: readonly Asked[], view: View): Promise<void> {
  const signal = AbortSignal.any([view.signal, AbortSignal.timeout(HISTOGRAM_MS)]);
  try {
    const { axis, counts } = await histogramOf(asked, signal);
    if (axis !== undefined && axis.buckets > 1) await view.write([...histogramLines(counts, axis, view.colours), '']);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface Histogram {
  readonly axis: TimeAxis | undefined;
  readonly counts: readonly number[];
}

async function histogramOf(asked: readonly Asked[], signal: AbortSignal): Promise<Histogram> {
  const spans = (await askAll(asked, spanQuery, signal)).flat().filter(([first]) => first !== null);
  if (spans.length === 0) return { axis: undefined, counts: [] };
  const firstMs = Math.min(...spans.map(([first]) => Number(first))) / 1000;
  const lastMs = Math.max(...spans.map(([, last]) => Number(last))) / 1000;
  const axis = timeAxis(firstMs, lastMs);
  const counts = new Array<number>(axis.buckets).fill(0);
  const answers = await askAll(asked, (match) => histogramQuery(match, axis.startMs, axis.widthMs), signal);
  for (const [bucket, count] of answers.flat()) {
    // What came since the span was asked for may lie beyond.
    const at = Number(bucket);
    if (at >= 0 && at < counts.length) counts[at] = (counts[at] ?? 0) + Number(count);
  }
  return { axis, counts };
}

/** How many events there are over time. True if there are any. */
export async function showHistogram(asked: readonly Asked[], view: View): Promise<boolean> {
  const { axis, counts } = await histogramOf(asked, view.signal);
  if (axis === undefined) {
    await refuseUnknownFields(asked, view.signal);
    return false;
  }
  const time = (at: number): string => new Date(axis.startMs + at * axis.widthMs).toISOString();
  await view.write(
    view.isJson
      ? counts.map((count, at) => jsonLine({ '@timestamp': time(at), count }))
      : histogramLines(counts, axis, view.colours),
  );
  return true;
}

/** From each store: with several of them, a value that is rarer in one may be frequent in all. */
const MAX_VALUES = 10_000;

/** The most frequent values of a field. True if there are any events. */
export async function showCount(
  asked: readonly Asked[],
  { field, limit }: { readonly field: string; readonly limit: number },
  view: View,
): Promise<boolean> {
  const most = limit === 0 ? Number.MAX_SAFE_INTEGER : asked.length === 1 ? limit : Math.max(limit, MAX_VALUES);
  const answers = await askAll(asked, (match) => countQuery(match, field, most), view.signal);
  const sums = new Map<string | null, number>();
  for (const [value = null, count] of answers.flat()) {
    const text = value === null ? null : textOf(value);
    sums.set(text, (sums.get(text) ?? 0) + Number(count));
  }
  const hasOnlyNone = [...sums.keys()].every((value) => value === null);
  if (hasOnlyNone) await refuseUnknownFields(asked, view.signal, [field]);
  const counts = [...sums].map(([value, count]): Count => ({ value, count })).sort((a, b) => b.count - a.count);
  const shown = limit === 0 ? counts : counts.slice(0, limit);
  const total = answers.reduce((sum, rows) => sum + Number(rows[0]?.[2] ?? 0), 0);
  const values = Math.max(counts.length, ...answers.map((rows) => Number(rows[0]?.[3] ?? 0)));
  const asJson = ({ value, count }: Count): string =>
    jsonLine({ ...(value === null ? {} : { [field]: value }), count });
  const more = values > shown.length ? [`… ${values - shown.length} more values: --limit 0 shows all`] : [];
  await view.write(view.isJson ? shown.map(asJson) : [...countLines(shown, total), ...more]);
  return shown.length > 0;
}

/** What somebody's own query answers, of one store after the other. True if there are rows. */
export async function showSql(stores: readonly Store[], sql: string, view: View): Promise<boolean> {
  let isFound = false;
  for (const store of stores) {
    const { columns, rows } = await store.answer({ sql }, view.signal);
    if (stores.length > 1 && !view.isJson) await view.write([`${store.path}:`]);
    const table = new Table(columns);
    const isPlan = columns[0]?.name === 'explain_key';
    const linesOf = (run: readonly Row[]): readonly string[] => (isPlan ? planLines(columns, run) : table.lines(run));
    for await (const run of rows) {
      isFound ||= run.length > 0;
      await view.write(view.isJson ? run.map((row) => jsonLine(sqlFields(columns, row))) : linesOf(run));
    }
  }
  return isFound;
}

function sqlFields(columns: readonly AnswerColumn[], row: Row): Readonly<Record<string, Json>> {
  const fields = columns.map(({ name }, at) => [name, row[at] ?? null] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== null));
}
