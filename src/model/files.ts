import type { Observable } from 'rxjs';

/** What the file system says of a path. */
export interface FileStat {
  /** Device and inode: the same for two names of one file, reused after a file is gone. */
  readonly id: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly kind: 'file' | 'folder' | 'other';
}

/** A name in a folder, and whether it came, went or was renamed, or only its content changed. */
export interface FolderChange {
  readonly name: string;
  readonly kind: 'entry' | 'content';
}

/** An open file. Every method is a cold Observable: the call happens at subscription. */
export interface OpenFile {
  stat(): Observable<FileStat>;
  /** Reads into `target` from `position` on; emits the number of bytes read, 0 at the end of the file. */
  read(target: Uint8Array, position: number): Observable<number>;
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Observable<void>;
  truncate(length: number): Observable<void>;
  /** Completes when the content is durable. */
  sync(): Observable<void>;
  close(): Observable<void>;
}

/** The file system as a port: the service passes the real one, tests pass one that can crash at every call. */
export interface Files {
  /** Emits undefined when nothing is there. */
  stat(path: string): Observable<FileStat | undefined>;
  /** The names in a folder; empty when it does not exist. */
  list(folder: string): Observable<readonly string[]>;
  /** Paths that match one of `patterns` and none of `exclude`, folders left out, sorted. */
  glob(patterns: readonly string[], exclude: readonly string[]): Observable<readonly string[]>;
  /** `read`: must exist. `write`: created if it does not, never truncated. `replace`: emptied. */
  open(path: string, mode: 'read' | 'write' | 'replace'): Observable<OpenFile>;
  rename(from: string, to: string): Observable<void>;
  remove(path: string): Observable<void>;
  makeFolder(path: string): Observable<void>;
  /** Completes when the folder's entries (a creation, a rename) are durable. */
  syncFolder(path: string): Observable<void>;
  /** Emits what changes in a folder. May miss changes: polling is the safety net. Errors when it cannot watch. */
  watch(folder: string): Observable<FolderChange>;
}

/** The folder a path is in. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash) || '/';
}

/** A path's last part. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
