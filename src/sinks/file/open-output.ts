import { finalize, map, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { folderOf } from '../../model/files.js';
import type { FileStat, Files, OpenFile } from '../../model/files.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { carefulFile, closeQuietly } from './careful-file.js';
import { TAIL_BYTES } from './file-state.js';
import type { FileState } from './file-state.js';
import { rotatedPath } from './rotated-files.js';

/** An output file, open, and where writing goes on. */
export interface Output {
  readonly file: OpenFile;
  readonly id: string;
  readonly length: number;
  /** The last bytes before `length`. */
  readonly tail: Uint8Array;
  /** It is the file of the checkpoint. */
  readonly isKnown: boolean;
  /** When it was changed last, before it was opened. */
  readonly mtimeMs: number;
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

function* start(file: OpenFile, saved: FileState | undefined): Routine<Output> {
  const stat = yield* wait(file.stat());
  const isKnown = saved !== undefined && (yield* wait(isSame(file, stat, saved)));
  const length = isKnown ? saved.length : stat.size;
  if (stat.size > length) yield* wait(file.truncate(length));
  const tail = yield* wait(readTail(file, length));
  return { file, id: stat.id, length, tail, isKnown, mtimeMs: stat.mtimeMs };
}

/**
 * A rotation after the last checkpoint is undone: what is at the path now was begun after it, so nothing of that was ever
 * acknowledged, and what the checkpoint knows is in the rotated file.
 */
function* undoRotation(path: string, files: Files, saved: FileState): Routine {
  if (saved.rotation === undefined) return;
  const rotated = rotatedPath(path, saved.rotation.number + 1);
  const stat = yield* wait(files.stat(rotated));
  if (stat?.id !== saved.id) return;
  // Two names of one file: it was linked by hand.
  if ((yield* wait(files.stat(path)))?.id === saved.id) return;
  const file = yield* wait(files.open(rotated, 'read'));
  const same = yield* wait(isSame(file, stat, saved).pipe(finalize(() => closeQuietly(file))));
  if (same) yield* wait(files.rename(rotated, path));
}

/**
 * Opens a file to write on: where the checkpoint says, with everything beyond that cut off, if it still is the file of
 * the checkpoint; else at its end. The folder is made when it is missing.
 */
export function openOutput(path: string, files: Files, saved: FileState | undefined): Observable<Output> {
  const folder = folderOf(path);
  return steps<Output>(function* (emit) {
    yield* wait(files.makeFolder(folder));
    if (saved !== undefined) yield* undoRotation(path, files, saved);
    const file = carefulFile(yield* wait(files.open(path, 'write')));
    let isKept = false;
    try {
      const output = yield* start(file, saved);
      // The name has to survive a crash as well as the content.
      yield* wait(files.syncFolder(folder));
      isKept = true;
      emit(output);
    } finally {
      if (!isKept) closeQuietly(file);
    }
  });
}
