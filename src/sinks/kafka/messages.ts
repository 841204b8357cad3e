import type { DeadLetter } from '../../model/dead-letter.js';
import { idOf } from '../../model/event.js';
import type { LogEvent, LogRecord } from '../../model/event.js';
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

function headersOf(id: string, { timeMs }: LogRecord): Message['headers'] {
  return timeMs === undefined ? { 'millrace-id': id } : { 'millrace-id': id, 'millrace-time': String(timeMs) };
}

/** The level is where a stage has put it: `log.level` after normalize, `level` before. */
function fieldsOf(key: string): readonly string[] {
  return key === 'level' ? ['log.level', 'level'] : [key];
}

/** Events as flat JSON, or as the lines they were. */
export function encodeEvents({ key, format }: Pick<KafkaSinkOptions, 'key' | 'format'>): Encode<LogEvent> {
  const serialise = eventSerialiser();
  const names = fieldsOf(key);
  return (event) => {
    const { record } = event;
    const found = names.map((name) => event.get(name)).find((value) => value !== undefined && value !== null);
    return {
      key: found === undefined ? null : typeof found === 'string' ? found : JSON.stringify(found),
      value: format === 'json' ? serialise(event) : (record.bytes ?? record.text),
      headers: headersOf(event.id, record),
    };
  };
}

/** Dead letters as flat JSON, keyed by the error's code. */
export const encodeDeadLetters: Encode<DeadLetter> = (letter) => {
  const { origin, record, index, reason } = letter;
  return {
    key: 'code' in reason ? String(reason.code) : reason.name,
    value: deadLetterJson(letter),
    headers: headersOf(idOf(origin.incarnation, record, index), record),
  };
};
