import type { Observable } from 'rxjs';
import { folderOf } from '../../model/files.js';
import type { Files, OpenFile } from '../../model/files.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { carefulFile, closeQuietly } from './careful-file.js';
import type { GzipBlock } from './gzip.js';
import { begunPath, compressedPath, rotatedPath } from './rotated-files.js';

/** A member of the gzip file is made of so much; larger ones are hardly smaller together. */
const BLOCK_BYTES = 1024 * 1024;

/**
 * Compresses a rotated file: written beside it, synced, renamed, and only then is the original removed. Memory: one block
 * and what becomes of it. On error: what was begun is removed, if it can be, so that a full disk gets its room back; what
 * a crash leaves is the next start's to remove. A file that is gone is MILLRACE_E_FILE_NOT_FOUND.
 */
export function compress(path: string, number: number, files: Files, gzip: GzipBlock): Observable<never> {
  const original = rotatedPath(path, number);
  const begun = begunPath(path, number);
  return steps<never>(function* () {
    try {
      yield* copy(original, begun, files, gzip);
    } catch (error) {
      yield* removeIfPossible(begun, files);
      throw error;
    }
    yield* wait(files.rename(begun, compressedPath(path, number)));
    yield* wait(files.syncFolder(folderOf(path)));
    yield* wait(files.remove(original));
  });
}

function* copy(from: string, to: string, files: Files, gzip: GzipBlock): Routine {
  const source = carefulFile(yield* wait(files.open(from, 'read')));
  try {
    const target = carefulFile(yield* wait(files.open(to, 'replace')));
    try {
      yield* copyBlocks(source, target, gzip);
    } finally {
      closeQuietly(target);
    }
  } finally {
    closeQuietly(source);
  }
}

function* copyBlocks(source: OpenFile, target: OpenFile, gzip: GzipBlock): Routine {
  const block = new Uint8Array(BLOCK_BYTES);
  let length = 0;
  for (let position = 0; ;) {
    const count = yield* wait(source.read(block, position));
    if (count === 0) break;
    position += count;
    const compressed = yield* wait(gzip(block.subarray(0, count)));
    yield* wait(target.write(compressed, length));
    length += compressed.length;
  }
  yield* wait(target.sync());
}

function* removeIfPossible(path: string, files: Files): Routine {
  try {
    yield* wait(files.remove(path));
  } catch {
    // The error that led here is the one to tell of.
  }
}
