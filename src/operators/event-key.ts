import type { LogEvent } from '../model/event.js';
import { hash53 } from './hash.js';

/** The longest key that is remembered as it is. */
const MAX_KEY_CHARS = 120;
const BEGINNING_CHARS = 40;

/** 106 bits of hash: that two long keys are taken for one is less likely than a fault of the machine. */
function shortened(text: string): string {
  if (text.length <= MAX_KEY_CHARS) return text;
  const hashes = [hash53(text, 1), hash53(text, 2)].map((hash) => hash.toString(36));
  return `${text.slice(0, BEGINNING_CHARS)}#${hashes.join('')}`;
}

/**
 * Makes one text of the values of some fields, at most 120 characters long; a missing field counts as null. Undefined
 * for an event that has none of the fields.
 */
export function keyOf(fields: readonly string[]): (event: LogEvent) => string | undefined {
  return (event) => {
    const values = fields.map((field) => event.get(field));
    return values.every((value) => value === undefined) ? undefined : shortened(JSON.stringify(values));
  };
}

/** Milliseconds since 1970 of `@timestamp`, undefined for an event without one that can be read. */
export function timeOf(event: LogEvent): number | undefined {
  const value = event.get('@timestamp');
  const time = typeof value === 'string' ? Date.parse(value) : value;
  return typeof time === 'number' && Number.isFinite(time) ? time : undefined;
}
