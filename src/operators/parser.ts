import type { MillraceError } from '../model/errors.js';
import type { LogEvent } from '../model/event.js';

/** Turns an event and its text into an event with fields, or says why it cannot. */
export type Parser = (event: LogEvent, text: string) => LogEvent | MillraceError;
