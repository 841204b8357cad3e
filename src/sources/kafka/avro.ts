import { catchError, defaultIfEmpty, defer, forkJoin, map, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { contentOfAvro } from '../../model/avro-event.js';
import { isTransient, MillraceError, messageOf } from '../../model/errors.js';
import type { Content } from '../../model/event.js';
import type { IncomingMessage } from '../../model/kafka.js';
import type { Schemas } from '../../model/schemas.js';
import { jsonContent, recordsOf } from './records.js';
import type { Decode } from './records.js';

type Read = (bytes: Uint8Array) => unknown;

/** What precedes a value: a zero and the number of its schema. Source: Confluent's wire format. */
const HEAD_BYTES = 5;
const MAX_SCHEMAS = 1000;

/** The number of the schema, or undefined when the value does not say one. */
function schemaOf(value: Uint8Array | null): number | undefined {
  if (value === null || value.length < HEAD_BYTES || value[0] !== 0) return undefined;
  return new DataView(value.buffer, value.byteOffset).getInt32(1);
}

/** Bytes as base64; Buffers come with a `toJSON` of their own, so it is the original that is looked at. */
function plain(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return original instanceof Uint8Array ? Buffer.from(original).toString('base64') : value;
}

function unreadable(why: string): MillraceError {
  return MillraceError.ofRecord('MILLRACE_E_KAFKA_SCHEMA', why);
}

/**
 * The decoder for Avro with a schema registry. A value that our sink has written gives the fields that the event had;
 * of any other record the fields keep their names, records inside become dotted names, and bytes become base64. What
 * cannot be decoded, or has a schema that the registry does not know, is a record with a fault.
 *
 * - on error: MILLRACE_E_KAFKA_REGISTRY, transient, when the registry does not answer; then nothing was decoded.
 * - memory: 1000 schemas.
 */
export function decodeAvro({ metadata }: { readonly metadata: boolean }, schemas: Schemas): Decode {
  const known = new Map<number, Read>();
  const parse = jsonContent();
  const contentOf = (value: unknown): Content | MillraceError => {
    const ours = contentOfAvro(value);
    if (ours !== undefined) return ours;
    const isRecord =
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
    return parse(JSON.stringify(isRecord ? value : { message: value }, plain));
  };
  const read = ({ value }: IncomingMessage, found: ReadonlyMap<number, Read | Error>): Content | MillraceError => {
    const id = schemaOf(value);
    if (id === undefined || value === null) return unreadable('it does not begin with the number of a schema');
    const reader = found.get(id) ?? known.get(id);
    if (reader === undefined || reader instanceof Error) return unreadable(reader?.message ?? `schema ${id}`);
    try {
      return contentOf(reader(value.subarray(HEAD_BYTES)));
    } catch (error) {
      return unreadable(`by schema ${id}: ${messageOf(error)}`);
    }
  };
  const ask = (id: number): Observable<[number, Read | Error]> =>
    schemas.reader(id).pipe(
      map((reader): [number, Read] => [id, reader]),
      catchError((error: unknown) => {
        if (isTransient(error) || !(error instanceof Error)) throw error;
        return of<[number, Error]>([id, error]);
      }),
    );
  return (messages) =>
    defer(() => {
      const ids = new Set(messages.map(({ value }) => schemaOf(value)).filter((id) => id !== undefined));
      const asked = [...ids].filter((id) => !known.has(id)).map(ask);
      return forkJoin(asked).pipe(
        defaultIfEmpty([]),
        map((answers) => {
          const found = new Map(answers);
          if (known.size + found.size > MAX_SCHEMAS) known.clear();
          for (const [id, reader] of answers) if (!(reader instanceof Error)) known.set(id, reader);
          return recordsOf(messages, metadata, (_, message) => read(message, found));
        }),
      );
    });
}
