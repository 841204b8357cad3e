import { DateTime } from 'luxon';

const DAY_MS = 86_400_000;
/** Most lines of a log have the second of the line before. */
const MAX_REMEMBERED = 1000;

/**
 * Reads times in any of the Luxon formats, for the stage `normalize`: milliseconds since 1970, or undefined. A time
 * without a zone is one of `timeZone`. One without a year is of the year of `now`, or of the year before if it would lie
 * more than a day ahead.
 */
export function timeReader(
  formats: readonly string[],
  timeZone: string,
  now: () => number = Date.now,
): (text: string) => number | undefined {
  const options = { zone: timeZone, locale: 'en-US' };
  const parsers = formats.map((format) => ({
    parser: DateTime.buildFormatParser(format, options),
    hasYear: format.includes('y'),
  }));
  const read = (text: string): number | undefined => {
    for (const { parser, hasYear } of parsers) {
      const time = DateTime.fromFormatParser(text, parser, options);
      if (!time.isValid) continue;
      const isAhead = !hasYear && time.toMillis() > now() + DAY_MS;
      return (isAhead ? time.minus({ years: 1 }) : time).toMillis();
    }
    return undefined;
  };
  const remembered = new Map<string, number | undefined>();
  return (text) => {
    if (remembered.has(text)) return remembered.get(text);
    const millis = read(text);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(text, millis);
    return millis;
  };
}
