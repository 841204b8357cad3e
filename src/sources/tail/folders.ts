import { catchError, EMPTY, finalize, mergeMap, Subject, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { folderOf } from '../../model/files.js';
import type { FolderChange } from '../../model/files.js';
import type { Setting } from './setting.js';

const MAX_WATCHED_FOLDERS = 512;

/** The folders whose changes are heard of. */
export class Folders {
  readonly #setting: Setting;
  readonly #hear: (path: string, kind: FolderChange['kind']) => void;
  readonly #folders = new Subject<string>();
  readonly #watched = new Set<string>();

  constructor(setting: Setting, hear: (path: string, kind: FolderChange['kind']) => void) {
    this.#setting = setting;
    this.#hear = hear;
  }

  /** Watches while it is subscribed. */
  get watching(): Observable<unknown> {
    return this.#folders.pipe(mergeMap((folder) => this.#watch(folder), MAX_WATCHED_FOLDERS));
  }

  watchFolderOf(path: string): void {
    const folder = folderOf(path);
    if (this.#setting.context.once || this.#watched.has(folder) || this.#watched.size >= MAX_WATCHED_FOLDERS) return;
    this.#watched.add(folder);
    this.#folders.next(folder);
  }

  #watch(folder: string): Observable<unknown> {
    const prefix = folder === '/' ? '/' : `${folder}/`;
    return this.#setting.files.watch(folder).pipe(
      tap(({ name, kind }) => this.#hear(prefix + name, kind)),
      // Polling goes on, and the next look tries again to watch.
      catchError(() => EMPTY),
      finalize(() => this.#watched.delete(folder)),
    );
  }
}
