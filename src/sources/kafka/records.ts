import { isUtf8 } from 'node:buffer';
import { of } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import { LogEvent, rawShape, Shape } from '../../model/event.js';
import type { Content, LogRecord } from '../../model/event.js';
import type { IncomingMessage } from '../../model/kafka.js';
import { parseJson } from '../../operators/parse-json.js';
import type { KafkaSourceOptions } from './options.js';

/** Makes records of messages; the value of each may have to be asked for elsewhere (a schema). */
export type Decode = (messages: readonly IncomingMessage[]) => Observable<readonly LogRecord[]>;

function textOf(header: IncomingMessage['headers'][string]): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string') return header;
  if (header instanceof Uint8Array) return Buffer.from(header.buffer, header.byteOffset, header.length).toString();
  return header.map((each) => textOf(each) ?? '').join(', ');
}

/** What a header of ours says; an empty one says nothing. */
function saidBy(header: IncomingMessage['headers'][string]): string | undefined {
  const text = textOf(header);
  return text === '' ? undefined : text;
}

/** What every record of a message has: where it is, what it was, and the identity it came with. */
function recordOf({ offset, timestampMs, value, headers }: IncomingMessage): LogRecord {
  const bytes = value === null ? Buffer.alloc(0) : Buffer.from(value.buffer, value.byteOffset, value.length);
  const enteredMs = Number(saidBy(headers['millrace-time']) ?? timestampMs);
  return {
    offset,
    text: bytes.toString(),
    ...(isUtf8(bytes) ? {} : { bytes }),
    id: saidBy(headers['millrace-id']),
    timeMs: Number.isFinite(enteredMs) ? enteredMs : timestampMs,
  };
}

/** `kafka.key`, `kafka.timestamp` and `kafka.headers.*`, beside what the message says itself. */
function withMetadata(record: LogRecord, { key, timestampMs, headers }: IncomingMessage): LogRecord {
  const { shape, values } = record.content ?? { shape: rawShape, values: [record.text] };
  const named = Object.entries(headers)
    .filter(([name]) => !name.startsWith('millrace-'))
    .map(([name, header]): [string, unknown] => [`kafka.headers.${name}`, textOf(header)]);
  const keyText = key === null ? [] : [['kafka.key', Buffer.from(key).toString()] as const];
  const time = new Date(timestampMs);
  // Kafka takes what a producer says, nanoseconds too.
  const timeText = Number.isNaN(time.getTime()) ? [] : [['kafka.timestamp', time.toISOString()] as const];
  const added = [...keyText, ...timeText, ...named];
  const keys = [...shape.keys, ...added.map(([name]) => name)];
  return { ...record, content: { shape: new Shape(keys), values: [...values, ...added.map(([, value]) => value)] } };
}

/** An event of nowhere, for the parser to make others from. */
const blank: LogEvent = LogEvent.of(
  {
    incarnation: '',
    fields: {},
    outcome: { filtered: () => undefined, rejected: () => undefined, expanded: () => undefined },
  },
  { offset: 0, text: '' },
);

/** The fields of a text that is a JSON object. */
export function jsonContent(): (text: string) => Content | MillraceError {
  const parse = parseJson();
  return (text) => {
    const parsed = parse(blank, text);
    return parsed instanceof MillraceError ? parsed : { shape: parsed.shape, values: parsed.values };
  };
}

/** What a message says; undefined: its text. */
type ContentOf = (record: LogRecord, message: IncomingMessage) => Content | MillraceError | undefined;

/** The records of messages. One without a value has no content but its empty text. */
export function recordsOf(
  messages: readonly IncomingMessage[],
  metadata: boolean,
  contentOf: ContentOf,
): readonly LogRecord[] {
  return messages.map((message) => {
    const bare = recordOf(message);
    const content = message.value === null ? undefined : contentOf(bare, message);
    if (content instanceof MillraceError) return { ...bare, fault: content };
    const record = content === undefined ? bare : { ...bare, content };
    return metadata ? withMetadata(record, message) : record;
  });
}

/** The decoder for values that say everything themselves. */
export function decodeMessages({ decode, metadata }: Pick<KafkaSourceOptions, 'decode' | 'metadata'>): Decode {
  const json = decode === 'json' ? jsonContent() : undefined;
  return (messages) => of(recordsOf(messages, metadata, ({ text }) => json?.(text)));
}
