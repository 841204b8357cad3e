import { defer, map, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { AVRO_EVENT, avroOfEvent } from '../../model/avro-event.js';
import type { DeadLetter } from '../../model/dead-letter.js';
import { arrivedMs, idOf } from '../../model/event.js';
import type { LogEvent } from '../../model/event.js';
import type { Schemas } from '../../model/schemas.js';
import { deadLetterJson, eventSerialiser } from '../../model/serialise.js';
import type { KafkaSinkOptions } from './options.js';

/** What an item becomes in a topic. */
export interface Message {
  readonly key: string | null;
  readonly value: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** How items become messages: made once per sink. */
export type Encode<T> = (item: T) => Message;

function headersOf(id: string, timeMs: number | undefined): Message['headers'] {
  return timeMs === undefined ? { 'millrace-id': id } : { 'millrace-id': id, 'millrace-time': String(timeMs) };
}

/** The level is where a stage has put it: `log.level` after normalize, `level` before. */
function fieldsOf(key: string): readonly string[] {
  return key === 'level' ? ['log.level', 'level'] : [key];
}

type ValueOf = (event: LogEvent) => Message['value'];

function keyed(key: string, valueOf: ValueOf): Encode<LogEvent> {
  const names = fieldsOf(key);
  return (event) => {
    const found = names.map((name) => event.get(name)).find((value) => value !== undefined && value !== null);
    return {
      key: found === undefined ? null : typeof found === 'string' ? found : JSON.stringify(found),
      value: valueOf(event),
      headers: headersOf(event.id, event.arrivedMs),
    };
  };
}

/** Events as flat JSON, as the lines they were, or as Avro by a schema that is registered when the sink is opened. */
export function encodeEvents(
  { topic, key, format }: Pick<KafkaSinkOptions, 'topic' | 'key' | 'format'>,
  schemas: Schemas,
): Observable<Encode<LogEvent>> {
  if (format === 'avro') {
    return schemas
      .writer(`${topic}-value`, AVRO_EVENT)
      .pipe(map((write) => keyed(key, (event) => write(avroOfEvent(event)))));
  }
  const lines: ValueOf = ({ record }) => record.bytes ?? record.text;
  return defer(() => of(keyed(key, format === 'json' ? eventSerialiser() : lines)));
}

/** Dead letters as flat JSON, keyed by the error's code. */
export const encodeDeadLetters: Encode<DeadLetter> = (letter) => {
  const { origin, record, index, reason } = letter;
  return {
    key: 'code' in reason ? String(reason.code) : reason.name,
    value: deadLetterJson(letter),
    headers: headersOf(idOf(origin.incarnation, record, index), arrivedMs(origin, record)),
  };
};
