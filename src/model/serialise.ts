import type { DeadLetter } from './dead-letter.js';
import { MillraceError } from './errors.js';
import { idOf } from './event.js';
import type { LogEvent, Origin, Shape } from './event.js';

// Anything else between quotes is valid JSON as it stands. Lone surrogates are not; pairs take the slow way too.
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;
/** Almost no text of a log has anything else, and this takes half the time to tell. */
const UNUSUAL = /[^ !#-[\]-~]/;
/** Up to this length a look at each character is quicker than the expression. */
const SHORT_CHARS = 32;
const QUOTE = 34;
const BACKSLASH = 92;

/** Whether JSON cannot have the text between quotes as it is. */
export function needsEscape(text: string): boolean {
  if (text.length > SHORT_CHARS) return UNUSUAL.test(text) && NEEDS_ESCAPE.test(text);
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

/** What comes between two values: by what the last one leaves open, and what the next one begins with. */
interface Joint {
  /** At the beginning, before anything but a text: `{"key":`. */
  readonly first: string;
  /** At the beginning, before a text: `{"key":"`. */
  readonly firstOpen: string;
  /** After anything but a text, before a text: `,"key":"`. */
  readonly open: string;
  /** After a text, before a text: `","key":"`. */
  readonly closeOpen: string;
  /** After anything but a text, before anything else: `,"key":`. */
  readonly plain: string;
  /** After a text, before anything else: `","key":`. */
  readonly close: string;
}

function jointOf(key: string): Joint {
  const name = `,${JSON.stringify(key)}:`;
  const first = `{${name.substring(1)}`;
  return { first, firstOpen: `${first}"`, open: `${name}"`, closeOpen: `"${name}"`, plain: name, close: `"${name}` };
}

/** The fields that an origin gives to events of a shape, as they end each text: `,"name":value …,"event.id":`. */
function endingOf({ fields }: Origin, shape: Shape): string {
  let text = '';
  for (const [key, value] of Object.entries(fields)) {
    const own = shape.keys.includes(key) || OWN.includes(key) ? undefined : json(value);
    if (own !== undefined) text += `,${JSON.stringify(key)}:${own}`;
  }
  return `${text},"event.id":`;
}

/**
 * Writes events as flat JSON, one text an event, without a line end: the event's fields, then the origin's that the
 * event does not have, then `event.id`. What is the same for many events is put together once, so each sink makes its
 * own serialiser and uses it for all its events. Concatenations cost more than anything else here: hence the joints.
 */
export function eventSerialiser(): (event: LogEvent) => string {
  let shape: Shape | undefined;
  let origin: Origin | undefined;
  let joints: readonly (Joint | undefined)[] = [];
  /** What ends the events whose records carry an id of their own. */
  let bare = '';
  let ending = '';
  /** The same after a text. */
  let closing = '';
  return (event) => {
    const { values } = event;
    if (event.shape !== shape || event.origin !== origin) {
      if (event.shape !== shape) joints = event.shape.keys.map((key) => (OWN.includes(key) ? undefined : jointOf(key)));
      ({ shape, origin } = event);
      bare = endingOf(origin, shape);
      ending = bare + JSON.stringify(origin.incarnation).slice(0, -1);
      closing = `"${ending}`;
    }
    let text = '';
    let isOpen = false;
    for (let slot = 0; slot < joints.length; slot++) {
      const joint = joints[slot];
      const value = values[slot];
      if (joint === undefined) continue;
      // Written out for texts and numbers, which most values are.
      if (typeof value === 'string' && !needsEscape(value)) {
        text += (text === '' ? joint.firstOpen : isOpen ? joint.closeOpen : joint.open) + value;
        isOpen = true;
        continue;
      }
      const other = typeof value === 'number' && Number.isFinite(value) ? String(value) : json(value);
      if (other === undefined) continue;
      text += (text === '' ? joint.first : isOpen ? joint.close : joint.plain) + other;
      isOpen = false;
    }
    if (event.record.id !== undefined) {
      const end = `${bare}${JSON.stringify(event.id)}}`;
      return text === '' ? `{${end.substring(1)}` : text + (isOpen ? '"' : '') + end;
    }
    const end = event.idInOrigin + '"}';
    if (text === '') return `{${ending.substring(1)}${end}`;
    return text + (isOpen ? closing : ending) + end;
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
    'event.id': idOf(origin.incarnation, record, index),
  });
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
