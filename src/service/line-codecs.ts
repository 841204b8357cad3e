import type { DeadLetter } from '../model/dead-letter.js';
import { arrivedMs, idOf } from '../model/event.js';
import type { LogEvent } from '../model/event.js';
import { deadLetterJson, eventSerialiser } from '../model/serialise.js';
import type { BulkCodec } from '../sinks/elasticsearch/bulks.js';
import { indexNamer } from '../sinks/elasticsearch/index-name.js';
import type { FileSinkOptions } from '../sinks/file/options.js';
import type { LineCodec } from '../sinks/file/write-group.js';

/** An event as a line: flat JSON, or its message as it was read. */
export function eventLines(format: FileSinkOptions['format']): LineCodec<LogEvent> {
  return {
    offsetOf: ({ offset }) => offset,
    encoder: () => (format === 'json' ? eventSerialiser() : messageText),
  };
}

/** An event as the two lines of a bulk request that creates a document, in the index that the pattern says. */
export function eventDocuments(index: string): BulkCodec<LogEvent> {
  return {
    encoder: () => {
      const nameOf = indexNamer(index);
      const serialise = eventSerialiser();
      return (event) => document(nameOf(event), event.id, serialise(event));
    },
  };
}

export function deadLetterDocuments(index: string): BulkCodec<DeadLetter> {
  return {
    encoder: () => {
      const nameOf = indexNamer(index);
      return (letter) => {
        const { origin, record, index: nth } = letter;
        const id = idOf(origin.incarnation, record, nth);
        const source = { get: (field: string) => origin.fields[field], arrivedMs: arrivedMs(origin, record) };
        return document(nameOf(source), id, deadLetterJson(letter));
      };
    },
  };
}

function document(index: string, id: string, json: string): string {
  return `{"create":{"_index":${JSON.stringify(index)},"_id":${JSON.stringify(id)}}}\n${json}\n`;
}

export const deadLetterLines: LineCodec<DeadLetter> = {
  offsetOf: ({ record }) => record.offset,
  encoder: () => deadLetterJson,
};

function messageText(event: LogEvent): string {
  const message = event.get('message');
  return typeof message === 'string' ? message : JSON.stringify(message ?? '');
}
