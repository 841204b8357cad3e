import type { DeadLetter } from '../model/dead-letter.js';
import type { LogEvent } from '../model/event.js';
import { deadLetterJson, eventSerialiser } from '../model/serialise.js';
import type { FileSinkOptions } from '../sinks/file/options.js';
import type { LineCodec } from '../sinks/file/write-group.js';

/** An event as a line: flat JSON, or its message as it was read. */
export function eventLines(format: FileSinkOptions['format']): LineCodec<LogEvent> {
  return {
    offsetOf: ({ offset }) => offset,
    encoder: () => (format === 'json' ? eventSerialiser() : messageText),
  };
}

export const deadLetterLines: LineCodec<DeadLetter> = {
  offsetOf: ({ record }) => record.offset,
  encoder: () => deadLetterJson,
};

function messageText(event: LogEvent): string {
  const message = event.get('message');
  return typeof message === 'string' ? message : JSON.stringify(message ?? '');
}
