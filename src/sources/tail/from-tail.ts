import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { Observable } from 'rxjs';
import { Tail } from 'tail';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { ErrorCode } from '../../model/errors.js';
import { LineSplitter, noLines } from '../lines.js';

/** Where `fromTail` begins, and how long a line may get. */
export interface FromTailConfig {
  /** Emit everything that is there already. Default false. */
  readonly fromBeginning?: boolean;
  /** Otherwise: emit this many of the lines that are there already, as far as 256 KiB reach. Default 0. */
  readonly lastLines?: number;
  /** Of a longer line only the beginning is emitted. Default 1 048 576. */
  readonly maxLineBytes?: number;
}

/**
 * The lines of a growing file, on the package `tail`: cold, one watcher for each subscription. Lines come without their
 * line end (LF or CRLF), as UTF-8; a line is emitted when its end has been written.
 *
 * - on error: with MILLRACE_E_FILE_NOT_FOUND when the file is not there, or not any more (renamed, removed), or the code
 *   of what else happened. All of them are transient: `retry({ delay: 1000 })` waits for the file to come (back).
 * - on complete: never. On unsubscribe: the watcher is closed, what was not emitted is forgotten.
 * - memory: a block of 64 KiB and the beginning of one line.
 *
 * It is quick and simple, and made for looking. It is no collector: it has no positions, so nothing can be resumed; it
 * reads whatever is written, whether or not anybody keeps up (no back-pressure); and at a rotation lines are lost, those
 * written between truncation and the next look, or to the old file after it was renamed. The pipelines' source
 * `tail` is for that.
 *
 * @example
 * ```ts
 * fromTail('app.log').pipe(filter((line) => line.includes('ERROR')))
 * ```
 */
export function fromTail(path: string, config: FromTailConfig = {}): Observable<string> {
  const { fromBeginning = false, lastLines = 0, maxLineBytes = 1_048_576 } = config;
  return new Observable((subscriber) => {
    const splitter = new LineSplitter({ maxLineBytes, onLongLine: 'truncate' }, 0);
    const emitLines = (block: Buffer): void => {
      const lines = noLines();
      splitter.push(block, lines, Infinity);
      for (const { text } of lines.records) subscriber.next(text);
    };
    const fail = (error: unknown): void => subscriber.error(faultOf(path, error));
    try {
      const tail = start(path, fromBeginning);
      subscriber.add(() => tail.unwatch());
      // With `separator: null` and latin1 it hands out the bytes as they are, a character for each.
      tail.on('line', (block: string) => {
        if (!subscriber.closed) emitLines(Buffer.from(block, 'latin1'));
      });
      tail.on('error', fail);
      if (!fromBeginning && lastLines > 0) emitLines(lastBytes(path, cursorOf(tail, path), lastLines));
    } catch (error) {
      fail(error);
    }
  });
}

function start(path: string, fromBeginning: boolean): Tail {
  if (statSync(path).isDirectory()) throw new MillraceError('MILLRACE_E_FILE_IS_DIRECTORY', path);
  // Without `follow: false` it goes on in the middle of whatever gets the name after a rename, and says nothing.
  return new Tail(path, { separator: null, encoding: 'latin1', fromBeginning, follow: false });
}

/** Where the package begins to read; what lies before is ours. Not in its types, but it has always been there. */
function cursorOf(tail: Tail, path: string): number {
  const cursor: unknown = Reflect.get(tail, 'currentCursorPos');
  return typeof cursor === 'number' ? cursor : statSync(path).size;
}

const MAX_LOOK_BACK_BYTES = 262_144;
const LINE_END = 10;

/** The last lines before `end`, and the beginning of a line whose end is not written yet. */
function lastBytes(path: string, end: number, count: number): Buffer {
  const block = Buffer.alloc(Math.min(end, MAX_LOOK_BACK_BYTES));
  const file = openSync(path, 'r');
  try {
    const read = readSync(file, block, 0, block.length, end - block.length);
    return block.subarray(beginOfLast(block.subarray(0, read), count, block.length === end), read);
  } finally {
    closeSync(file);
  }
}

/** Where the last `count` complete lines begin, as far as the block reaches; `isWhole`: it begins with the file. */
function beginOfLast(block: Uint8Array, count: number, isWhole: boolean): number {
  let lineEnd = block.lastIndexOf(LINE_END);
  for (let found = 0; found < count && lineEnd >= 0; found++) {
    lineEnd = lineEnd === 0 ? -1 : block.lastIndexOf(LINE_END, lineEnd - 1);
  }
  return lineEnd >= 0 || isWhole ? lineEnd + 1 : block.indexOf(LINE_END) + 1;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'MILLRACE_E_FILE_NOT_FOUND',
  ENOTDIR: 'MILLRACE_E_FILE_NOT_FOUND',
  EACCES: 'MILLRACE_E_FILE_PERMISSION',
  EPERM: 'MILLRACE_E_FILE_PERMISSION',
  EISDIR: 'MILLRACE_E_FILE_IS_DIRECTORY',
  EMFILE: 'MILLRACE_E_FILE_TOO_MANY_OPEN',
  ENFILE: 'MILLRACE_E_FILE_TOO_MANY_OPEN',
  // Too many watched files, says inotify.
  ENOSPC: 'MILLRACE_E_FILE_TOO_MANY_OPEN',
};

/** Some of the package's errors are texts, with the system's code somewhere in them. */
function faultOf(path: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const said = messageOf(error);
  const system = Object.keys(CODES).find((code) => said.includes(`${code}: `));
  const code = said.includes('not available anymore') ? CODES.ENOENT : CODES[system ?? ''];
  return new MillraceError(code ?? 'MILLRACE_E_FILE_IO', path, { cause: error });
}
