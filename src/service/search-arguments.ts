import { parseArgs } from 'node:util';
import { severityOf } from '../model/severity.js';
import { argumentFault, UsageFault } from './command-io.js';
import { searchTime, TIME_EXPECTED } from './search-time.js';
import { comparisonOf } from './search-where.js';
import type { Comparison } from './search-where.js';

/** Which events are asked for. All that is given must hold. */
export interface Filters {
  /** Found in the message, without regard to case. */
  readonly text?: string | undefined;
  /** OpenTelemetry's severity numbers. */
  readonly severities?: readonly number[] | undefined;
  readonly minSeverity?: number | undefined;
  /** RFC 3339, in UTC. */
  readonly since?: string | undefined;
  /** RFC 3339, in UTC; not included. */
  readonly until?: string | undefined;
  readonly where: readonly Comparison[];
}

/** What is shown of them. */
type Showing =
  | { readonly kind: 'events'; readonly limit: number }
  | { readonly kind: 'count'; readonly field: string; readonly limit: number }
  | { readonly kind: 'histogram' }
  | { readonly kind: 'sql'; readonly sql: string };

/** What the command `search` was asked. */
export interface SearchArguments {
  readonly filters: Filters;
  readonly showing: Showing;
  readonly isJson: boolean;
  readonly help: boolean;
  readonly config: string | undefined;
  readonly store: string | undefined;
}

const DEFAULT_LIMIT = 100;

/** Reads the arguments. Throws a UsageFault that says what is expected. */
export function searchArguments(args: readonly string[], nowMs: number): SearchArguments {
  const { values, positionals } = parsedArgs(args);
  if (values.config !== undefined && values.store !== undefined) {
    throw new UsageFault('--config and --store name the same thing: give one of them');
  }
  const filters: Filters = {
    // Without quotes, too: `search connection refused`.
    text: positionals.length === 0 ? undefined : positionals.join(' '),
    severities: values.level?.split(',').map((name) => severity('--level', name)),
    minSeverity: values['min-level'] === undefined ? undefined : severity('--min-level', values['min-level']),
    since: timeOf('--since', values.since, nowMs),
    until: timeOf('--until', values.until, nowMs),
    where: (values.where ?? []).map(comparisonOf),
  };
  const { help, json, config, store } = values;
  return { filters, showing: showingOf(values, hasFilters(filters)), isJson: json, help, config, store };
}

function hasFilters({ where, ...others }: Filters): boolean {
  return where.length > 0 || Object.values(others).some((value) => value !== undefined);
}

type Values = ReturnType<typeof parsedArgs>['values'];

function parsedArgs(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new UsageFault(argumentFault(error), { cause: error });
  }
}

const OPTIONS = {
  level: { type: 'string' },
  'min-level': { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  where: { type: 'string', multiple: true },
  sql: { type: 'string' },
  count: { type: 'string' },
  histogram: { type: 'boolean', default: false },
  limit: { type: 'string' },
  json: { type: 'boolean', default: false },
  config: { type: 'string' },
  store: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function showingOf({ sql, count, histogram, limit }: Values, isFiltered: boolean): Showing {
  const asked = [sql !== undefined && '--sql', count !== undefined && '--count', histogram && '--histogram'];
  const given = asked.filter((name) => name !== false);
  if (given.length > 1) throw new UsageFault(`${given.join(' and ')} cannot be answered at once`);
  if (sql !== undefined) {
    if (isFiltered || limit !== undefined)
      throw new UsageFault('--sql says it all: give no text, filter or limit with it');
    return { kind: 'sql', sql };
  }
  if (histogram) return { kind: 'histogram' };
  if (count === '') throw new UsageFault('--count must be the name of a field');
  const rows = limitOf(limit);
  return count === undefined ? { kind: 'events', limit: rows } : { kind: 'count', field: count, limit: rows };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(limit)) return limit;
  throw new UsageFault(`--limit must be a whole number, 0 for no limit, but is '${text}'`);
}

function severity(option: string, name: string): number {
  const number = severityOf(name);
  if (number !== undefined) return number;
  throw new UsageFault(`${option} must be one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL, but has '${name.trim()}'`);
}

function timeOf(option: string, text: string | undefined, nowMs: number): string | undefined {
  if (text === undefined) return undefined;
  const time = searchTime(text, nowMs);
  if (time !== undefined) return time;
  throw new UsageFault(`${option} must be ${TIME_EXPECTED}, but is '${text}'`);
}
