import type { LogRecord } from '../model/batch.js';
import { MillraceError } from '../model/errors.js';

/** The record that begins at `offset`; the records of a batch have increasing offsets. */
export function recordAt(records: readonly LogRecord[], offset: number): LogRecord {
  let low = 0;
  let high = records.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  const record = records[low];
  if (record?.offset !== offset) throw new MillraceError('MILLRACE_E_STAGE_FOREIGN_EVENT', `offset ${offset}`);
  return record;
}
