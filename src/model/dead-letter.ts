import type { LogRecord } from './batch.js';
import type { Origin } from './event.js';

/** A record that could not become an event, or an event that a sink refused: reason, original bytes and position. */
export interface DeadLetter {
  readonly origin: Origin;
  readonly record: LogRecord;
  readonly index: number;
  readonly reason: Error;
}
