/** What the index of an item is made from. */
export interface IndexSource {
  /** The value of a field. */
  get(field: string): unknown;
  /** When it entered the system, in ms since 1970: stands for a date that it does not have. */
  readonly arrivedMs: number | undefined;
}

const PLACE = /\{([^{}:]+)(?::([^{}]*))?\}/g;
const DATE_PARTS = /yyyy|MM|dd|HH/g;
/** Where yyyy-MM-ddTHH stands in an RFC 3339 time. */
const DATE_SLICES: Readonly<Record<string, readonly [number, number]>> = {
  yyyy: [0, 4],
  MM: [5, 7],
  dd: [8, 10],
  HH: [11, 13],
};
/** yyyy-MM-ddTHH */
const HOUR_CHARS = 13;
const RFC_3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:.*Z$/;
/** What an index name may not have, beside capitals. */
const FORBIDDEN = /[\\/*?"<>| ,#:\u0000-\u001f]/g;
const MAX_NAME_BYTES = 255;
/** Stands for the date of an event that has none, when nobody noted when it came in. */
const MISSING = 'undated';
/** Stands for a field that an event does not have. */
const UNKNOWN = 'unknown';

/** What is wrong with a pattern, or undefined. */
export function indexPatternFault(pattern: string): string | undefined {
  const literal = pattern.replaceAll(PLACE, 'x');
  if (/[{}]/.test(literal)) return 'expected {field} or {@timestamp:yyyy.MM.dd}';
  for (const [, field, format] of pattern.matchAll(PLACE)) {
    if (format === undefined) continue;
    if (field !== '@timestamp') return `expected a date format for @timestamp only, not for ${String(field)}`;
    if (!/^(?:yyyy|MM|dd|HH|[.\-_])+$/.test(format)) return 'expected a date format of yyyy, MM, dd, HH, ".", "-", "_"';
  }
  if (literal !== literal.toLowerCase()) return 'expected lower case: an index has no capitals';
  if (literal.length === 0 || /^[-_+.]/.test(literal))
    return 'expected a name that does not begin with "-", "_", "+" or "."';
  // Anew: the expression with the flag g remembers where it was.
  return new RegExp(FORBIDDEN.source).test(literal)
    ? 'expected a name without \\ / * ? " < > | , # : and spaces'
    : undefined;
}

/** The indices that a pattern may give, as Elasticsearch writes patterns. */
export function indexWildcard(pattern: string): string {
  return pattern.replaceAll(PLACE, '*').replaceAll(/\*+/g, '*');
}

function cleaned(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return UNKNOWN;
  const text = String(value).toLowerCase().replaceAll(FORBIDDEN, '-');
  return text === '' ? UNKNOWN : text;
}

/** RFC 3339 in UTC. */
function timeOf(given: unknown, arrivedMs: number | undefined): string | undefined {
  if (typeof given === 'string' && RFC_3339_UTC.test(given)) return given;
  return arrivedMs === undefined ? undefined : new Date(arrivedMs).toISOString();
}

function dated(time: string, format: string): string {
  return format.replaceAll(DATE_PARTS, (part) => time.slice(...(DATE_SLICES[part] ?? [0, 0])));
}

/** The index name of each item, from the item alone: a replay lands in the same place. */
export function indexNamer(pattern: string): (item: IndexSource) => string {
  type Part = (item: IndexSource) => string;
  const parts: Part[] = [];
  let from = 0;
  for (const match of pattern.matchAll(PLACE)) {
    const [place, field = '', format] = match;
    const literal = pattern.slice(from, match.index);
    parts.push(() => literal);
    parts.push(format === undefined ? (item) => cleaned(item.get(field)) : datePart(field, format));
    from = match.index + place.length;
  }
  const rest = pattern.slice(from);
  return (item) => {
    let name = '';
    for (const part of parts) name += part(item);
    return bounded(name + rest);
  };

  /** Most events are of the hour of the one before. */
  function datePart(field: string, format: string): Part {
    let hour = '';
    let shown = '';
    return (item) => {
      const given = item.get(field);
      if (hour !== '' && typeof given === 'string' && given.startsWith(hour) && given.endsWith('Z')) return shown;
      const time = timeOf(given, item.arrivedMs);
      if (time === undefined) return MISSING;
      hour = time.slice(0, HOUR_CHARS);
      shown = dated(time, format);
      return shown;
    };
  }
}

function bounded(name: string): string {
  if (name.length * 3 <= MAX_NAME_BYTES) return name;
  let cut = name;
  while (Buffer.byteLength(cut) > MAX_NAME_BYTES) cut = cut.slice(0, -1);
  return cut;
}
