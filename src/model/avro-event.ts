import type { Content, LogEvent } from './event.js';
import { Shape } from './event.js';

// Avro's names have neither dots nor @, and its records have no fields that nobody has declared. So what nearly every
// event has is a field of the record, by a name of its own; everything else is in two maps, under its own name.

type Values = Record<string, unknown>;

/** Texts with a field of their own. */
const TEXTS = ['@timestamp', 'message', 'log.level', 'event.id', 'log.file.path', 'service.name', 'host.name'] as const;
const SEVERITY = 'event.severity';
const ID = 'event.id';

/** `@timestamp` is `timestamp`, `log.level` is `log_level`. */
const avroName = (field: string): string => field.replace(/^@/, '').replaceAll('.', '_');

const NAMES: ReadonlyMap<string, string> = new Map(TEXTS.map((field) => [field, avroName(field)]));

const optional = (type: string, field: string): object => ({
  name: avroName(field),
  type: ['null', type],
  default: null,
  doc: field,
});

/** The Avro schema of events. The `doc` of a field is its name in the Elastic Common Schema. */
export const AVRO_EVENT: object = {
  type: 'record',
  name: 'LogEvent',
  namespace: 'millrace',
  doc: 'A log event. The doc of a field is its name in the Elastic Common Schema.',
  fields: [
    ...TEXTS.map((field) => optional('string', field)),
    optional('int', SEVERITY),
    {
      name: 'fields',
      type: { type: 'map', values: ['null', 'boolean', 'double', 'string'] },
      default: {},
      doc: 'Every other field, by its name.',
    },
    {
      name: 'json',
      type: { type: 'map', values: 'string' },
      default: {},
      doc: 'Every other field that is a list or an object, by its name, as JSON.',
    },
  ],
};

function jsonOf(value: unknown): string | undefined {
  try {
    const text: string | undefined = JSON.stringify(value);
    return text;
  } catch {
    // A BigInt or a cycle, from a stage of somebody else.
    return JSON.stringify(String(value));
  }
}

function put(record: Values, fields: Values, json: Values, name: string, value: unknown): void {
  // The event itself knows it.
  if (name === ID) return;
  const own = NAMES.get(name);
  if (own !== undefined && typeof value === 'string') record[own] = value;
  else if (name === SEVERITY && Number.isInteger(value) && value === Number(value) >> 0) {
    record[avroName(SEVERITY)] = value;
  } else if (value === null || ['boolean', 'number', 'string'].includes(typeof value)) fields[name] = value;
  else {
    const text = jsonOf(value);
    if (text !== undefined) json[name] = text;
  }
}

/** An event as a value of AVRO_EVENT: its own fields, those of its origin that it has not, and `event.id`. */
export function avroOfEvent(event: LogEvent): object {
  const { shape, values, origin } = event;
  const record: Values = {};
  const fields: Values = {};
  const json: Values = {};
  shape.keys.forEach((name, slot) => put(record, fields, json, name, values[slot]));
  for (const [name, value] of Object.entries(origin.fields)) {
    if (!shape.keys.includes(name)) put(record, fields, json, name, value);
  }
  return { ...record, [avroName(ID)]: event.id, fields, json };
}

/** True of what AVRO_EVENT describes. */
function isEvent(value: Values): boolean {
  return typeof value['fields'] === 'object' && typeof value['json'] === 'object' && avroName(ID) in value;
}

/** The fields of a value of AVRO_EVENT, as the event had them, without `event.id`; undefined of any other value. */
export function contentOfAvro(value: unknown): Content | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as Values;
  if (!isEvent(record)) return undefined;
  const found: [string, unknown][] = [];
  for (const name of [...TEXTS, SEVERITY]) {
    const own = record[avroName(name)];
    if (name !== ID && own !== null && own !== undefined) found.push([name, own]);
  }
  found.push(...Object.entries(record['fields'] as Values));
  for (const [name, text] of Object.entries(record['json'] as Values)) found.push([name, JSON.parse(String(text))]);
  return { shape: new Shape(found.map(([name]) => name)), values: found.map(([, each]) => each) };
}
