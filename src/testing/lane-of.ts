import { NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Batch, Lane } from '../model/batch.js';

/** A batch of these records (a string gives one for each character), at the offsets `from`, `from` + 1 …; its position is the next one. */
export function batchOf(texts: Iterable<string>, from = 0, bytes = 1): Batch {
  const records = Array.from(texts, (text, at) => ({ offset: from + at, text }));
  return { records, position: from + records.length, bytes, state: null };
}

/** A lane of these batches that nobody else takes, beginning at 0; `changes` say what is otherwise. */
export function laneOf(id: string, batches: Observable<Batch>, changes: Partial<Lane> = {}): Lane {
  return { id, position: 0, state: null, fields: {}, batches, revoked: NEVER, ...changes };
}
