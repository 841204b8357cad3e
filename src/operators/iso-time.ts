/** Groups: date, hour, minute, second, fraction, zone. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|[+-]\d\d(?::?\d\d)?)?$/;

const ZERO = 48;
const NINE = 57;

function areDigits(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return false;
  }
  return true;
}

function offsetMinutes(zone: string): number {
  if (zone === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0));
}

function millisOf(fraction: string): number {
  return Math.trunc(Number(`0.${fraction}`) * 1000);
}

/**
 * Reads times as ISO 8601 and most loggers write them (`2015-07-29 17:41:44,747`, `2026-01-01T00:00:00.5+02:00`) and
 * gives them back in RFC 3339, UTC, with milliseconds; a fraction with more digits is kept. `isUtc`: whether a time
 * without a zone is UTC; if not, such a time is left to others. Undefined if the text is not such a time.
 *
 * The fast path repeats the minute it has seen last: the times of a log come in order.
 */
export function isoTimes(isUtc: boolean): (text: string) => string | undefined {
  let minute = '?';
  return (text) => {
    if (text.length === 24 && text.startsWith(minute) && isSecondsAndMillis(text)) return text;
    const time = read(text, isUtc);
    if (time?.length === 24) minute = time.substring(0, 17);
    return time;
  };
}

/** True for `SS.mmmZ` from place 17 on. */
function isSecondsAndMillis(text: string): boolean {
  return (
    text.charCodeAt(19) === 46 &&
    text.charCodeAt(23) === 90 &&
    text.charCodeAt(17) < 54 &&
    areDigits(text, 17, 19) &&
    areDigits(text, 20, 23)
  );
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
  const utc = new Date(wall - offsetMinutes(zone ?? 'Z') * 60_000 + millisOf(fraction)).toISOString();
  return fraction.length > 3 ? `${utc.slice(0, 20)}${fraction}Z` : utc;
}
