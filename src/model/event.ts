import { arrivalAt } from './arrival.js';
import type { Arrival } from './arrival.js';
import type { MillraceError } from './errors.js';

/** A record as it was read: text, place, and the bytes themselves where the text does not say them exactly. */
export interface LogRecord {
  /** Where it begins in its incarnation. */
  readonly offset: number;
  readonly text: string;
  /** The original bytes, only when they are not valid UTF-8. */
  readonly bytes?: Uint8Array | undefined;
  /** Set by a source that already knows the record cannot be used. */
  readonly fault?: MillraceError | undefined;
  /** `event.id` of the event that this record carries, when it was given further up: by the collector, two hops ago. */
  readonly id?: string | undefined;
  /** When it entered the system, in ms since 1970, when the source says so. */
  readonly timeMs?: number | undefined;
  /** Fields of the event, where the source gives more than a text. */
  readonly content?: Content | undefined;
}

/** The fields of an event, side by side. */
export interface Content {
  readonly shape: Shape;
  readonly values: readonly unknown[];
}

/** What a stage reports about an event that does not go on. The tally of the batch implements it. */
export interface Outcome {
  /** An event was dropped on purpose. */
  filtered(): void;
  /** The event cannot be used: it becomes a dead letter with this reason. */
  rejected(event: LogEvent, reason: Error): void;
  /** One record became `extra` more events. */
  expanded(extra: number): void;
}

/** Where an event came from: one object for all events of a batch. */
export interface Origin {
  /** Identity of the file incarnation, topic-partition or listener; first part of `event.id`. */
  readonly incarnation: string;
  /** Fields that every event of this origin has, `log.file.path` and the source's `fields`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly outcome: Outcome;
  /** When its records came in, where they do not say it themselves. */
  readonly arrivals?: readonly Arrival[] | undefined;
}

/** The field names of events that look alike. Stages compute what they need once per shape, not once per event. */
export class Shape {
  readonly keys: readonly string[];

  constructor(keys: readonly string[]) {
    this.keys = keys;
  }

  /** The place of a field's value, or -1. */
  slot(key: string): number {
    return this.keys.indexOf(key);
  }
}

/** The shape of an event that no stage has parsed yet. */
export const rawShape: Shape = new Shape(['message']);

/** The `event.id` of the n-th event of a record. */
export function idOf(incarnation: string, { id, offset }: LogRecord, index: number): string {
  const first = id ?? `${incarnation}:${offset}`;
  return index === 0 ? first : `${first}:${index}`;
}

/** When a record entered the system, in ms since 1970: the same in every replay. Undefined where nobody noted it. */
export function arrivedMs({ arrivals = [] }: Origin, { timeMs, offset }: LogRecord): number | undefined {
  return timeMs ?? arrivalAt(arrivals, offset);
}

/**
 * A log event: an immutable record of flat fields with ECS names, and the place it came from.
 * `with` and `derive` keep the identity, so every event that leaves a stage can be traced to the record that entered.
 */
export class LogEvent {
  readonly origin: Origin;
  /** What it was made from. */
  readonly record: LogRecord;
  /** 0, or n for the n-th further event made from one record. */
  readonly index: number;
  readonly shape: Shape;
  readonly values: readonly unknown[];

  constructor(origin: Origin, record: LogRecord, index: number, shape: Shape, values: readonly unknown[]) {
    this.origin = origin;
    this.record = record;
    this.index = index;
    this.shape = shape;
    this.values = values;
  }

  /** The event that a record is before any stage: its text is the `message`, unless the source says more. */
  static of(origin: Origin, record: LogRecord): LogEvent {
    const { content } = record;
    if (content !== undefined) return new LogEvent(origin, record, 0, content.shape, content.values);
    return new LogEvent(origin, record, 0, rawShape, [record.text]);
  }

  /** Where the record begins in its incarnation: bytes for files, the offset for Kafka. */
  get offset(): number {
    return this.record.offset;
  }

  /** `event.id`: incarnation:offset, or what the record carries, and :n for the n-th further event of a record. */
  get id(): string {
    return idOf(this.origin.incarnation, this.record, this.index);
  }

  /** When its record entered the system, in ms since 1970: the same in every replay. Undefined where nobody noted it. */
  get arrivedMs(): number | undefined {
    return arrivedMs(this.origin, this.record);
  }

  /** The part of `event.id` after the incarnation, for a record that does not carry its own. */
  get idInOrigin(): string {
    const place = ':' + String(this.record.offset);
    return this.index === 0 ? place : place + ':' + String(this.index);
  }

  /** The value of a field, of the event itself or of its origin; undefined if there is none. */
  get(key: string): unknown {
    const slot = this.shape.keys.indexOf(key);
    if (slot >= 0) return this.values[slot];
    const { fields } = this.origin;
    return Object.hasOwn(fields, key) ? fields[key] : undefined;
  }

  /** The event's own fields as a plain object. Made anew at each call; use `get` for a single field. */
  get fields(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.shape.keys.map((key, slot) => [key, this.values[slot]]));
  }

  /** The same event with other fields: what `shape` and `values` say, side by side. */
  derive(shape: Shape, values: readonly unknown[]): LogEvent {
    return new LogEvent(this.origin, this.record, this.index, shape, values);
  }

  /** The same event with some fields set; a value of undefined removes the field. */
  with(changes: Readonly<Record<string, unknown>>): LogEvent {
    const keys: string[] = [];
    const values: unknown[] = [];
    this.shape.keys.forEach((key, slot) => {
      if (Object.hasOwn(changes, key)) return;
      keys.push(key);
      values.push(this.values[slot]);
    });
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) continue;
      keys.push(key);
      values.push(value);
    }
    return this.derive(new Shape(keys), values);
  }

  /** The n-th further event of the same record. */
  nth(index: number): LogEvent {
    return new LogEvent(this.origin, this.record, index, this.shape, this.values);
  }

  /** The same event, with its outcome counted elsewhere: for the copies that routes get. */
  from(origin: Origin): LogEvent {
    return new LogEvent(origin, this.record, this.index, this.shape, this.values);
  }
}
