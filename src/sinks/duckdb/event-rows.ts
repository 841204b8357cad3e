import type { LogEvent, Shape } from '../../model/event.js';
import { needsEscape } from '../../model/serialise.js';
import { columnTypeOf, fitting } from './columns.js';
import type { ColumnType } from './columns.js';
import type { RowColumn, Rows } from './database.js';
import { Utf8Text } from './utf8-text.js';

/** A column, and its key in the JSON. */
interface Column extends RowColumn {
  readonly key: number;
}

/** Where the value of a field goes. */
interface Place {
  /** The field's name as JSON, with a colon; undefined for a name that only millrace gives. */
  readonly key: string | undefined;
  /** What stands between the text before and the one of this column; undefined if it has no column. */
  readonly joint: string | undefined;
  readonly fit: (value: unknown) => string | undefined;
}

/** What is the same for all events of a shape and an origin. */
interface Plan {
  readonly places: readonly Place[];
  originFields: unknown;
  /** Values of the origin that the events do not have. */
  constants: string;
  json: string;
}

/** While it takes a text apart the database needs several times as much memory beside it: of 4 MB it needs 32. */
const MAX_PIECE_BYTES = 2 * 1024 * 1024;
const MEMORY_FOR_A_PIECE = 32;
/** One row is a piece of its own then, and the only one: 4 MB still go where there are 32, and 8 MB do not. */
const MEMORY_FOR_A_ROW = 12;
const MAX_BYTES_A_CHAR = 3;

const NEVER_FITS = (): undefined => undefined;
const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** Undefined for what JSON cannot say. */
function jsonOf(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : wellFormed(text);
  } catch {
    // Only stages from elsewhere can make a BigInt or a cycle; an event must not be what stops its sink.
    return jsonOf(String(value));
  }
}

/** The only escapes of that form are halves of a character, which the database refuses. */
function wellFormed(text: string): string {
  return text.includes('\\ud') ? text.replace(LONE_SURROGATE, '$1\\ufffd') : text;
}

/**
 * Makes rows of events, as JSON that the database takes apart on its own threads: one native call for thousands of them. What
 * has no column of its own, or does not fit it, goes into `fields`.
 */
export class EventRows {
  readonly #maxPieceBytes: number;
  readonly #maxRowBytes: number;
  readonly #columns: Column[] = [];
  #text = new Utf8Text();
  /** The pieces that were taken last. */
  #taken = new Utf8Text();
  readonly #plans = new WeakMap<Shape, Plan>();
  readonly #id = this.#columnOf('event.id', 'VARCHAR');
  readonly #pipeline = this.#columnOf('pipeline', 'VARCHAR');
  readonly #route = this.#columnOf('route', 'VARCHAR');
  readonly #ingested = this.#columnOf('ingested', 'TIMESTAMP');
  readonly #fields = this.#columnOf('fields', 'JSON');
  readonly #beginning = `{"${this.#id.key}":"`;
  readonly #fieldsJoint = `","${this.#fields.key}":{`;
  /** What the rows of the group that is open have in common. */
  #group: { readonly plan: Plan; readonly originFields: unknown; readonly common: string } | undefined;
  #count = 0;
  /** In the pieces that are whole. */
  #bytesBefore = 0;

  /** `memoryBytes`: what the database may use. */
  constructor(memoryBytes: number) {
    this.#maxPieceBytes = Math.min(MAX_PIECE_BYTES, memoryBytes / MEMORY_FOR_A_PIECE);
    this.#maxRowBytes = memoryBytes / MEMORY_FOR_A_ROW;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#text.bytes;
  }

  /** `common`: what `common` gave for the pipeline and the route of the event. False: the database could not take it. */
  add(event: LogEvent, common: string): boolean {
    const plan = this.#planOf(event);
    const row = this.#rowOf(event, plan);
    if (this.#isTooLarge(row)) return false;
    if (this.#group !== undefined && this.#text.bytes - this.#bytesBefore + row.length > this.#maxPieceBytes)
      this.#endPiece();
    this.#text.add(this.#opened(plan, event.origin.fields, common) + row);
    this.#count++;
    return true;
  }

  /** Whether `add` would take it. */
  takes(event: LogEvent): boolean {
    return !this.#isTooLarge(this.#rowOf(event, this.#planOf(event)));
  }

  #isTooLarge(row: string): boolean {
    return row.length * MAX_BYTES_A_CHAR > this.#maxRowBytes && Buffer.byteLength(row) > this.#maxRowBytes;
  }

  #rowOf({ values, id }: LogEvent, plan: Plan): string {
    let row = this.#beginning + inJson(id);
    let json = '';
    for (let slot = 0; slot < plan.places.length; slot++) {
      const place = plan.places[slot];
      const value = values[slot];
      if (place?.key === undefined || value === undefined) continue;
      const text = place.fit(value);
      if (text !== undefined && place.joint !== undefined) row += place.joint + inJson(text);
      // Nothing there is nothing in a column, but JSON can say it.
      else if (value !== null || place.joint === undefined) json += member(place.key, value, json);
    }
    if (json === '') json = plan.json;
    else if (plan.json !== '') json += ',' + plan.json;
    return json === '' ? row + '"}' : row + this.#fieldsJoint + json + '}}';
  }

  /** What all events of a delivery have in common, for `add`. */
  common(pipeline: string, route: string, ingested: string): string {
    const values = [
      [this.#pipeline, pipeline],
      [this.#route, route],
      [this.#ingested, ingested],
    ] as const;
    return values.map(([{ key }, text]) => `"${key}":"${inJson(text)}",`).join('');
  }

  /** Everything since the last call; holds until the next. */
  take(): Rows {
    if (this.#group !== undefined) this.#endPiece();
    const rows: Rows = { count: this.#count, columns: [...this.#columns], pieces: this.#text.take() };
    [this.#text, this.#taken] = [this.#taken, this.#text];
    this.#count = 0;
    this.#bytesBefore = 0;
    return rows;
  }

  #endPiece(): void {
    this.#text.add(']}]');
    this.#text.cut();
    this.#group = undefined;
    this.#bytesBefore = this.#text.bytes;
  }

  /** What comes before a row: mostly a comma, else the beginning of a new group. */
  #opened(plan: Plan, originFields: unknown, common: string): string {
    const group = this.#group;
    if (group?.plan === plan && group.originFields === originFields && group.common === common) return ',';
    this.#group = { plan, originFields, common };
    return `${group === undefined ? '[' : ']},'}{${common}${plan.constants}"rows":[`;
  }

  #planOf({ shape, origin }: LogEvent): Plan {
    let plan = this.#plans.get(shape);
    if (plan === undefined) {
      plan = { places: shape.keys.map((key) => this.#placeOf(key)), originFields: undefined, constants: '', json: '' };
      this.#plans.set(shape, plan);
    }
    if (plan.originFields === origin.fields) return plan;
    let constants = '';
    let json = '';
    for (const [field, value] of Object.entries(origin.fields)) {
      if (value === undefined || shape.keys.includes(field)) continue;
      const { key, joint, fit } = this.#placeOf(field);
      if (key === undefined) continue;
      const text = fit(value);
      // A joint begins by ending the text before.
      if (text !== undefined && joint !== undefined) constants += `${joint.slice(2)}${inJson(text)}",`;
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
    if (type === undefined) return { key, joint: undefined, fit: NEVER_FITS };
    return { key, joint: `","${this.#columnOf(field, type).key}":"`, fit: fitting(type) };
  }

  /** Columns keep their keys, so that the database sees the same statement again. */
  #columnOf(name: string, type: ColumnType): Column {
    const found = this.#columns.find((each) => each.name === name);
    if (found !== undefined) return found;
    const column = { name, type, key: this.#columns.length };
    this.#columns.push(column);
    return column;
  }
}

function inJson(text: string): string {
  return needsEscape(text) ? wellFormed(JSON.stringify(text)).slice(1, -1) : text;
}

function member(key: string, value: unknown, before: string): string {
  const text = jsonOf(value);
  if (text === undefined) return '';
  return before === '' ? key + text : `,${key}${text}`;
}
