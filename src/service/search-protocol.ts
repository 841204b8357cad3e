import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Json } from '../model/json.js';
import type { AnswerColumn } from '../sinks/duckdb/database.js';
import type { Query } from './read-only-answer.js';

// A client sends one Query and gets Replies: the columns, the rows in runs, the end; or a fault, at any time. Each is one
// line of JSON. A connection is one query.

/** One line from the service. */
export type Reply =
  | { readonly columns: readonly AnswerColumn[] }
  | { readonly rows: readonly (readonly Json[])[] }
  | { readonly end: true }
  | { readonly fault: { readonly code: string; readonly message: string } };

/** The longest query that a service takes. */
export const MAX_QUERY_BYTES = 1_048_576;

/** A socket's name may have 103 bytes on every system, and while it is made it has a longer one. */
const MAX_SOCKET_BYTES = 95;

/**
 * Where the owner of a store answers questions: beside the file, or, where that is too long for a socket's name, in the
 * system's folder for temporary files.
 */
export function searchSocketPath(storePath: string): string {
  const path = realPath(resolve(storePath));
  const beside = `${path}.sock`;
  if (Buffer.byteLength(beside) <= MAX_SOCKET_BYTES) return beside;
  const name = createHash('sha256').update(path).digest('hex').slice(0, 32);
  return join(tmpdir(), `millrace-${name}.sock`);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

export function line(message: Query | Reply): string {
  return `${JSON.stringify(message)}\n`;
}

/** The lines of a stream of texts; what follows the last line end is none. */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let parts: string[] = [];
  for await (const text of texts) {
    const pieces = text.split('\n');
    const rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      yield parts.join('') + piece;
      parts = [];
    }
    parts.push(rest);
  }
}
