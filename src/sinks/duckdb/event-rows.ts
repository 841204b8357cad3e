import type { LogEvent, Shape } from '../../model/event.js';
import { columnTypeOf, fitting } from './columns.js';
import type { Rows } from './database.js';
import { RowTexts } from './row-texts.js';
import type { Column } from './row-texts.js';

/** Where the value of a field goes. */
interface Place {
  /** The field's name as JSON, with a colon; undefined for a name that only millrace gives. */
  readonly key: string | undefined;
  readonly column: Column | undefined;
  readonly fit: (value: unknown) => string | undefined;
}

/** What is the same for all events of a shape and an origin. */
interface Plan {
  readonly places: readonly Place[];
  originFields: unknown;
  /** Values of the origin that the events do not have. */
  constants: readonly (readonly [Column, string])[];
  json: string;
}

const NEVER_FITS = (): undefined => undefined;
const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** Undefined for what JSON cannot say. */
function jsonOf(value: unknown): string | undefined {
  try {
    const text: string | undefined = JSON.stringify(value);
    return wellFormed(text);
  } catch {
    // Only stages from elsewhere can make a BigInt or a cycle; an event must not be what stops its sink.
    return jsonOf(String(value));
  }
}

/** The only escapes of that form are halves of a character, which the database refuses. */
function wellFormed(text: string | undefined): string | undefined {
  return text?.includes('\\ud') === true ? text.replace(LONE_SURROGATE, '$1\\ufffd') : text;
}

/** Makes rows of events, column by column. What has no column of its own, or does not fit it, goes into `fields`. */
export class EventRows {
  readonly #texts = new RowTexts();
  readonly #plans = new WeakMap<Shape, Plan>();
  readonly #id = this.#texts.column('event.id', 'VARCHAR');
  readonly #pipeline = this.#texts.column('pipeline', 'VARCHAR');
  readonly #route = this.#texts.column('route', 'VARCHAR');
  readonly #ingested = this.#texts.column('ingested', 'TIMESTAMP');
  readonly #fields = this.#texts.column('fields', 'JSON');

  get count(): number {
    return this.#texts.count;
  }

  get chars(): number {
    return this.#texts.chars;
  }

  add(event: LogEvent, pipeline: string, route: string, ingested: string): void {
    const texts = this.#texts;
    const { values } = event;
    const plan = this.#planOf(event);
    const { places, constants, json: originJson } = plan;
    let json = '';
    for (let slot = 0; slot < places.length; slot++) {
      const place = places[slot];
      const value = values[slot];
      if (place?.key === undefined || value === undefined) continue;
      const text = place.fit(value);
      if (text !== undefined && place.column !== undefined) texts.set(place.column, text);
      // Nothing there is nothing in a column, but JSON can say it.
      else if (value !== null || place.column === undefined) json += member(place.key, value, json);
    }
    for (const [column, text] of constants) texts.set(column, text);
    texts.set(this.#id, event.id);
    texts.set(this.#pipeline, pipeline);
    texts.set(this.#route, route);
    texts.set(this.#ingested, ingested);
    if (json === '') json = originJson;
    else if (originJson !== '') json += ',' + originJson;
    if (json !== '') texts.set(this.#fields, `{${json}}`);
    texts.endRow();
  }

  take(): Rows {
    return this.#texts.take();
  }

  #planOf({ shape, origin }: LogEvent): Plan {
    let plan = this.#plans.get(shape);
    if (plan === undefined) {
      plan = { places: shape.keys.map((key) => this.#placeOf(key)), originFields: undefined, constants: [], json: '' };
      this.#plans.set(shape, plan);
    }
    if (plan.originFields === origin.fields) return plan;
    const constants: [Column, string][] = [];
    let json = '';
    for (const [field, value] of Object.entries(origin.fields)) {
      if (value === undefined || shape.keys.includes(field)) continue;
      const { key, column, fit } = this.#placeOf(field);
      if (key === undefined) continue;
      const text = fit(value);
      if (text !== undefined && column !== undefined) constants.push([column, text]);
      else json += member(key, value, json);
    }
    plan.originFields = origin.fields;
    plan.constants = constants;
    plan.json = json;
    return plan;
  }

  #placeOf(field: string): Place {
    const key = field === 'event.id' ? undefined : `${jsonOf(field) ?? '""'}:`;
    const type = columnTypeOf(field);
    if (type === undefined) return { key, column: undefined, fit: NEVER_FITS };
    return { key, column: this.#texts.column(field, type), fit: fitting(type) };
  }
}

function member(key: string, value: unknown, before: string): string {
  const text = jsonOf(value);
  if (text === undefined) return '';
  return before === '' ? key + text : `,${key}${text}`;
}
