import { catchError, from, map, mergeMap, of, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Files, FileStat, OpenFile } from '../../model/files.js';
import { folderOf } from '../../model/files.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { archiveFormatOf } from './archive-file.js';
import { HEAD_BYTES, matches, readEvidence } from './evidence.js';
import type { Evidence } from './evidence.js';

/** A file as a look sees it. */
export interface Seen extends FileStat {
  readonly path: string;
}

/** So many calls to the file system at a time: the thread pool has four threads. */
export const CONCURRENCY = 16;

/** Questions about files, as routines of a look. None of them throws: what cannot be answered is a no. */
export class Looker {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  /** The regular files among the paths. */
  *statAll(paths: readonly string[]): Routine<Seen[]> {
    const seen = yield* wait(
      from(paths).pipe(
        mergeMap((path) => this.#stat(path), CONCURRENCY),
        toArray(),
      ),
    );
    return seen.filter((file): file is Seen => file?.kind === 'file').sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** It may have been renamed, compressed or cut since it was seen. */
  *isThere({ path, id, size }: Seen): Routine<boolean> {
    const [now] = yield* this.statAll([path]);
    return now?.id === id && now.size >= size;
  }

  *glob(patterns: readonly string[], exclude: readonly string[]): Routine<readonly string[]> {
    return yield* wait(this.#files.glob(patterns, exclude).pipe(catchError(() => of([]))));
  }

  /** All regular files of the folder that a path is in. */
  *siblings(path: string): Routine<Seen[]> {
    const folder = folderOf(path);
    const names = yield* wait(this.#files.list(folder).pipe(catchError(() => of([]))));
    const prefix = folder === '/' ? '/' : `${folder}/`;
    return yield* this.statAll(names.map((name) => prefix + name));
  }

  /** Whether the file has what was read of another one. `id`: only if it still is that file. */
  *has(path: string, evidence: Evidence, id?: string): Routine<boolean> {
    return yield* this.#ask(path, false, function* (file) {
      if (id !== undefined && (yield* wait(file.stat())).id !== id) return false;
      return yield* matches(file, evidence);
    });
  }

  /** Whether a file begins with all of another one, or as an archive does. */
  *beginsWith(path: string, { path: other, size }: Seen): Routine<boolean> {
    const isArchive = archiveFormatOf(other) !== undefined;
    const beginning = yield* this.evidenceOf(other, isArchive ? HEAD_BYTES : size);
    return beginning !== undefined && (yield* this.has(path, beginning));
  }

  /** Whether the file certainly has something else. What cannot be read now may still be the same. */
  *isOther(path: string, { end, head, tail }: Evidence): Routine<boolean> {
    const now = yield* this.evidenceOf(path, end);
    return now !== undefined && (now.head !== head || now.tail !== tail);
  }

  /** The evidence that the file would give if it had been read up to `end`. `id`: only if it still is that file, uncut. */
  *evidenceOf(path: string, end: number, id?: string): Routine<Evidence | undefined> {
    return yield* this.#ask<Evidence | undefined>(path, undefined, function* (file) {
      if (id !== undefined && (yield* wait(file.stat())).id !== id) return undefined;
      const { evidence } = yield* readEvidence(file, end);
      return id !== undefined && evidence.end < end ? undefined : evidence;
    });
  }

  #stat(path: string): Observable<Seen | undefined> {
    return this.#files.stat(path).pipe(
      map((stat) => (stat === undefined ? undefined : { path, ...stat })),
      catchError(() => of(undefined)),
    );
  }

  *#ask<T>(path: string, otherwise: T, question: (file: OpenFile) => Routine<T>): Routine<T> {
    return yield* wait(steps<T>((emit) => this.#answer(path, question, emit)).pipe(catchError(() => of(otherwise))));
  }

  *#answer<T>(path: string, question: (file: OpenFile) => Routine<T>, emit: (answer: T) => void): Routine {
    const file = yield* wait(this.#files.open(path, 'read'));
    try {
      emit(yield* question(file));
    } finally {
      file.close().subscribe({ error: () => undefined });
    }
  }
}
