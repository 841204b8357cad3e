/** Groups: date, hour, minute, second, fraction, zone. */
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?$/;

/** The form that most programs write, and that this module gives back: then there is nothing to do. */
const CANONICAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const DATE_LENGTH = 10;
const RFC3339_LENGTH = 24;
/** Every month has this many days. */
const SURE_DAY = '28';

function offsetMinutes(zone: string): number {
  if (zone === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0));
}

function millisOf(fraction: string): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** Milliseconds since 1970 in RFC 3339, UTC; undefined outside the years that it can write, 0000 to 9999. */
export function rfc3339(millis: number): string | undefined {
  const date = new Date(millis);
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  return text.length === RFC3339_LENGTH ? text : undefined;
}

/**
 * Reads times as ISO 8601 and most loggers write them (`2015-07-29 17:41:44,747`, `2026-01-01T00:00:00.5+02:00`) and
 * gives them back in RFC 3339, UTC, with milliseconds; a fraction with more digits is kept. `isUtc`: whether a time
 * without a zone is UTC; if not, such a time is left to others. Undefined if the text is not such a time.
 */
export function isoTimes(isUtc: boolean): (text: string) => string | undefined {
  // A date that is in the calendar. The times of a log come in order, so the next one probably has it, too.
  let knownDate = '?';
  return (text) => {
    if (!CANONICAL.test(text)) return read(text, isUtc);
    if (text.substring(8, DATE_LENGTH) <= SURE_DAY || text.startsWith(knownDate)) return text;
    const time = read(text, isUtc);
    if (time !== undefined) knownDate = text.substring(0, DATE_LENGTH);
    return time;
  };
}

function read(text: string, isUtc: boolean): string | undefined {
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '0', zone] = parts;
  if (zone === undefined && !isUtc) return undefined;
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const isReal =
    new Date(wall)
      .toISOString()
      .startsWith(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}`) && Number(second) < 60;
  if (!isReal) return undefined;
  const utc = rfc3339(wall - offsetMinutes(zone ?? 'Z') * 60_000 + millisOf(fraction));
  return utc !== undefined && fraction.length > 3 ? `${utc.slice(0, 20)}${fraction}Z` : utc;
}
