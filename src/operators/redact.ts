import type { LogEvent } from '../model/event.js';
import { FINDERS } from './sensitive.js';
import type { Find, Sensitive } from './sensitive.js';
import { stage } from './stage.js';
import type { Stage } from './stage.js';

/** What is taken out, and what stands in its place. */
export interface RedactConfig {
  /** Default: email, cardNumber, ip and bearerToken. */
  readonly what?: readonly Sensitive[];
  /** Regular expressions (flag u) of one's own; what they find is taken out whole. */
  readonly patterns?: readonly string[];
  /** Default: message. */
  readonly fields?: readonly string[];
  /** What stands for a value that was taken out, beside its kind: the same for the same value. Default: nothing. */
  readonly hash?: (value: string) => string;
  /** Patterns see a longer text in pieces of so many characters. Default 32 768. */
  readonly maxInputChars?: number;
}

const LEVEL_FIELDS = ['level', 'log.level', 'event.severity'];

function findPattern(pattern: string, maxInputChars: number): Find {
  const expression = new RegExp(pattern, 'gu');
  return (text, replace) => {
    // What is empty hides nothing.
    const redacted = (piece: string): string =>
      piece.replace(expression, (found) => (found === '' ? '' : replace(found)));
    if (text.length <= maxInputChars) return redacted(text);
    let whole = '';
    for (let from = 0; from < text.length; from += maxInputChars) {
      whole += redacted(text.slice(from, from + maxInputChars));
    }
    return whole;
  };
}

type Redact = (text: string) => string;

function redactorOf(config: RedactConfig): Redact {
  const { what = ['bearerToken', 'email', 'ip', 'cardNumber'], patterns = [], hash, maxInputChars = 32_768 } = config;
  const finders: readonly { readonly kind: string; readonly find: Find }[] = [
    ...what.map((kind) => ({ kind, find: FINDERS[kind] })),
    ...patterns.map((pattern) => ({ kind: 'redacted', find: findPattern(pattern, maxInputChars) })),
  ];
  return (text) =>
    finders.reduce(
      (rest, { kind, find }) => find(rest, (found) => (hash === undefined ? `[${kind}]` : `[${kind}:${hash(found)}]`)),
      text,
    );
}

/** Texts inside lists and mappings too; a number that is one of the things becomes a text. */
function redactedValue(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'number') {
    const text = String(value);
    const redacted = redact(text);
    return redacted === text ? value : redacted;
  }
  if (Array.isArray(value)) return value.map((each) => redactedValue(each, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactedValue(each, redact)]));
}

function redactedField(event: LogEvent, field: string, redact: Redact): LogEvent {
  const value = event.get(field);
  const redacted = redactedValue(value, redact);
  if (redacted === value) return event;
  const slot = event.shape.slot(field);
  if (slot < 0) return event.with({ [field]: redacted });
  const values = [...event.values];
  values[slot] = redacted;
  return event.derive(event.shape, values);
}

/**
 * Takes e-mail addresses, card numbers, IP addresses, bearer tokens and what one's own patterns find out of fields:
 * `[email]` stands in their place, or `[email:5f2d…]` with a hash of the value, by which the same values are still seen to
 * be the same.
 *
 * - card numbers have a card's beginning and length and pass Luhn's test; a bearer token is what follows `Bearer`.
 * - what another stage has copied to other fields stays there, and a dead letter holds the original line.
 * - never emits what it has found, in the fields that it looks at.
 * - on error, on complete, on unsubscribe: as the source. Keeps the order, emits every event. Memory: none.
 *
 * ```marbles
 * source  -a-|
 * > redact({ what: ['email'] })
 * output  -x-|
 * where   a: event({ message: 'from me@example.org' }), x: { message: 'from [email]' }
 * ```
 *
 * @example
 * ```ts
 * events('order ORD-123456 of me@example.org')
 *   .pipe(redact({ what: ['email'], patterns: ['ORD-\\d{6}'] }))
 *   .subscribe((event) => console.log(event.get('message')));
 * // → order [redacted] of [email]
 * ```
 */
export function redact(config: RedactConfig = {}): Stage {
  const { fields = ['message'] } = config;
  const redactText = redactorOf(config);
  const keepsLevel = !fields.some((field) => LEVEL_FIELDS.includes(field));
  return stage(
    (event) => fields.reduce((all, field) => redactedField(all, field, redactText), event),
    keepsLevel ? { keepsLevel } : {},
  );
}
