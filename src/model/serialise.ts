import type { DeadLetter } from './dead-letter.js';
import { MillraceError } from './errors.js';
import type { LogEvent, Shape } from './event.js';

// Anything else between quotes is valid JSON as it stands. Lone surrogates are not; pairs take the slow way too.
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;
/** Up to this length a look at each character is quicker than the expression. */
const SHORT_CHARS = 32;
const QUOTE = 34;
const BACKSLASH = 92;

function needsEscape(text: string): boolean {
  if (text.length > SHORT_CHARS) return NEEDS_ESCAPE.test(text);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 32 || code === QUOTE || code === BACKSLASH || (code >= 0xd800 && code < 0xe000)) return true;
  }
  return false;
}

/** undefined for what JSON cannot say (undefined itself, functions); NaN and infinities become null. */
function json(value: unknown): string | undefined {
  try {
    const text: string | undefined = JSON.stringify(value);
    return text;
  } catch {
    // Only stages from elsewhere can make a BigInt or a cycle; an event must not be what stops its sink.
    return JSON.stringify(String(value));
  }
}

/** Names that only millrace gives. A parsed field of that name is not written. */
const OWN = ['event.id'];

/**
 * Writes events as flat JSON, one text an event, without a line end: the event's fields, then the origin's that the
 * event does not have, then `event.id`. What is the same for many events is put together once, so each sink makes its
 * own serialiser and uses it for all its events.
 */
export function eventSerialiser(): (event: LogEvent) => string {
  let shape: Shape | undefined;
  let originFields: unknown;
  let incarnation: string | undefined;
  let keys: readonly (string | undefined)[] = [];
  let fields = '';
  let tail = '';
  return (event) => {
    const { origin, values } = event;
    if (event.shape !== shape || origin.fields !== originFields) {
      shape = event.shape;
      originFields = origin.fields;
      keys = shape.keys.map((key) => (OWN.includes(key) ? undefined : `${JSON.stringify(key)}:`));
      incarnation = undefined;
      fields = '';
      for (const [key, value] of Object.entries(origin.fields)) {
        const text = shape.keys.includes(key) || OWN.includes(key) ? undefined : json(value);
        if (text !== undefined) fields += `${JSON.stringify(key)}:${text},`;
      }
    }
    if (origin.incarnation !== incarnation) {
      incarnation = origin.incarnation;
      tail = `${fields}"event.id":${JSON.stringify(incarnation).slice(0, -1)}`;
    }
    let text = '{';
    for (let slot = 0; slot < keys.length; slot++) {
      const key = keys[slot];
      const value = values[slot];
      if (key === undefined) continue;
      // Written out for texts and numbers, which most values are.
      if (typeof value === 'string' && !needsEscape(value)) text += key + '"' + value + '",';
      else if (typeof value === 'number' && Number.isFinite(value)) text += key + String(value) + ',';
      else {
        const other = json(value);
        if (other !== undefined) text += key + other + ',';
      }
    }
    return text + tail + event.idInOrigin + '"}';
  };
}

/** A dead letter as flat JSON: what went wrong, the original as it was read, and where it was. */
export function deadLetterJson({ origin, record, index, reason }: DeadLetter): string {
  const { offset, text, bytes } = record;
  return JSON.stringify({
    'error.code': reason instanceof MillraceError ? reason.code : reason.name,
    'error.message': reason.message,
    ...(bytes === undefined ? { 'event.original': text } : { 'event.original_base64': base64(bytes) }),
    ...origin.fields,
    'log.offset': offset,
    'event.id': index === 0 ? `${origin.incarnation}:${offset}` : `${origin.incarnation}:${offset}:${index}`,
  });
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
