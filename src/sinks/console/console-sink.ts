import { catchError, concat, defer, map, NEVER, of } from 'rxjs';
import type { Observable } from 'rxjs';
import type { DeadLetter } from '../../model/dead-letter.js';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { LogEvent } from '../../model/event.js';
import { deadLetterJson, eventSerialiser } from '../../model/serialise.js';
import type { Sink, SinkContext, SinkResource } from '../../model/sink.js';
import type { ConsoleOptions } from './options.js';
import { neutraliseJson, prettyDeadLetter, prettyLine } from './pretty.js';
import { isOutputClosed } from './write-to.js';
import type { WriteText } from './write-to.js';

/**
 * Shows events, one a line: for people (`pretty`) or as flat JSON (`json`). Escape sequences in a log cannot act on the
 * terminal: pretty shows them, JSON escapes them.
 *
 * A delivery is done when the output has taken it. A console is a view, not a store: when nobody looks any more
 * (`| head`), that is reported once, and from then on everything counts as delivered, so that a closed terminal does not
 * stop the sinks beside it. Every other fault of the output is MILLRACE_E_FILE_IO, which is transient.
 */
export function consoleSink({ format }: ConsoleOptions, write: WriteText, colours: boolean): SinkResource {
  return lineSink<LogEvent>(write, () => {
    if (format === 'pretty') return (event) => prettyLine(event, { colours });
    const serialise = eventSerialiser();
    return (event) => neutraliseJson(serialise(event));
  });
}

/**
 * Shows dead letters, one a line: code, message, place, and the beginning of the original (`pretty`), or everything as
 * flat JSON (`json`). Otherwise like `consoleSink`.
 */
export function consoleDeadLetterSink(
  write: WriteText,
  colours: boolean,
  format: ConsoleOptions['format'] = 'pretty',
): SinkResource<DeadLetter> {
  return lineSink<DeadLetter>(write, () =>
    format === 'pretty'
      ? (letter) => prettyDeadLetter(letter, { colours })
      : (letter) => neutraliseJson(deadLetterJson(letter)),
  );
}

function lineSink<T>(write: WriteText, encoder: () => (item: T) => string): SinkResource<T> {
  return {
    name: 'console',
    open: (context) => defer(() => concat(of(openSink(write, encoder(), context)), NEVER)),
  };
}

function openSink<T>(write: WriteText, encode: (item: T) => string, context: SinkContext): Sink<T> {
  let isClosed = false;
  const afterFault = (error: unknown): Observable<void> => {
    if (!isOutputClosed(error)) throw new MillraceError('MILLRACE_E_FILE_IO', messageOf(error), { cause: error });
    if (!isClosed) {
      context.report({ level: 'warn', message: 'nobody reads the console any more: events are no longer shown' });
    }
    isClosed = true;
    return of(undefined);
  };
  return {
    deliver: ({ items }) =>
      defer(() => {
        if (isClosed || items.length === 0) return of(undefined);
        return write(items.map((item) => `${encode(item)}\n`).join('')).pipe(catchError(afterFault));
      }).pipe(map(() => ({ delivered: items.length, duplicates: 0, refused: [] }))),
  };
}
