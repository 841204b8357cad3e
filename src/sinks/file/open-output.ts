import { concat, concatMap, defer, EMPTY, endWith, ignoreElements, map, of, switchMap } from 'rxjs';
import type { Observable } from 'rxjs';
import { folderOf } from '../../model/files.js';
import type { FileStat, Files, OpenFile } from '../../model/files.js';
import { TAIL_BYTES } from './file-state.js';
import type { FileState } from './file-state.js';

/** An output file, open, and where writing goes on. */
export interface Output {
  readonly file: OpenFile;
  readonly id: string;
  readonly length: number;
  /** The last bytes before `length`. */
  readonly tail: Uint8Array;
}

function readTail(file: OpenFile, length: number): Observable<Uint8Array> {
  const tail = new Uint8Array(Math.min(TAIL_BYTES, length));
  if (tail.length === 0) return of(tail);
  return file.read(tail, length - tail.length).pipe(map((count) => tail.subarray(0, count)));
}

/** Whether the file still is the one of the checkpoint, up to the length it knows. */
function isSame(file: OpenFile, { id, size }: FileStat, saved: FileState): Observable<boolean> {
  if (id !== saved.id || size < saved.length) return of(false);
  return readTail(file, saved.length).pipe(map((tail) => Buffer.from(tail).toString('base64') === saved.tail));
}

/**
 * Opens a file to write on: where the checkpoint says, with everything beyond that cut off, if it still is the file of
 * the checkpoint; else at its end. The folder is made when it is missing.
 */
export function openOutput(path: string, files: Files, saved: FileState | undefined): Observable<Output> {
  const start = (file: OpenFile): Observable<Output> =>
    file.stat().pipe(
      switchMap((stat) =>
        (saved === undefined ? of(false) : isSame(file, stat, saved)).pipe(
          switchMap((same) => {
            const length = same && saved !== undefined ? saved.length : stat.size;
            const cut = stat.size > length ? file.truncate(length).pipe(ignoreElements()) : EMPTY;
            return concat(
              cut,
              defer(() => readTail(file, length)).pipe(map((tail) => ({ file, id: stat.id, length, tail }))),
            );
          }),
        ),
      ),
    );
  const folder = folderOf(path);
  return concat(
    files.makeFolder(folder).pipe(ignoreElements()),
    defer(() => files.open(path, 'write')).pipe(
      switchMap((file) => start(file)),
      // The name has to survive a crash as well as the content.
      concatMap((output) => files.syncFolder(folder).pipe(ignoreElements(), endWith(output))),
    ),
  );
}
