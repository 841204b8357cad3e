import * as fs from 'node:fs';
import { defer, map, Observable } from 'rxjs';
import { glob } from 'tinyglobby';
import type { ErrorCode } from '../model/errors.js';
import { MillraceError } from '../model/errors.js';
import type { FileStat, Files, FolderChange, OpenFile } from '../model/files.js';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'MILLRACE_E_FILE_NOT_FOUND',
  ENOTDIR: 'MILLRACE_E_FILE_NOT_FOUND',
  EACCES: 'MILLRACE_E_FILE_PERMISSION',
  EPERM: 'MILLRACE_E_FILE_PERMISSION',
  ENOSPC: 'MILLRACE_E_FILE_NO_SPACE',
  EDQUOT: 'MILLRACE_E_FILE_NO_SPACE',
  EFBIG: 'MILLRACE_E_FILE_NO_SPACE',
  EROFS: 'MILLRACE_E_FILE_READ_ONLY',
  // Only a folder that is to be made meets it.
  EEXIST: 'MILLRACE_E_FILE_NOT_FOLDER',
  EISDIR: 'MILLRACE_E_FILE_IS_DIRECTORY',
  EMFILE: 'MILLRACE_E_FILE_TOO_MANY_OPEN',
  ENFILE: 'MILLRACE_E_FILE_TOO_MANY_OPEN',
};

/** What a system call said, with a code of ours. */
export function fileError(error: NodeJS.ErrnoException, path: string): MillraceError {
  const code = CODES[error.code ?? ''] ?? 'MILLRACE_E_FILE_IO';
  return new MillraceError(code, `${path} (${error.code ?? error.message})`, { cause: error });
}

type Callback<T> = (error: NodeJS.ErrnoException | null, result: T) => void;

/** A call with a Node callback as a cold Observable. A call that has begun cannot be taken back, only ignored. */
function call<T>(path: string, start: (done: Callback<T>) => void): Observable<T> {
  return new Observable((subscriber) => {
    start((error, result) => {
      if (error !== null) {
        subscriber.error(fileError(error, path));
        return;
      }
      subscriber.next(result);
      subscriber.complete();
    });
  });
}

const done = map((): void => undefined);

function statOf(stats: fs.BigIntStats): FileStat {
  return {
    id: `${stats.dev}:${stats.ino}`,
    size: Number(stats.size),
    mtimeMs: Number(stats.mtimeNs) / 1e6,
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other',
  };
}

/** Writes everything, also when the system takes only a part at a time. */
function writeAll(fd: number, bytes: Uint8Array, position: number, finished: Callback<undefined>): void {
  fs.write(fd, bytes, 0, bytes.length, position, (error, count) => {
    if (error !== null) finished(error, undefined);
    else if (count === bytes.length) finished(null, undefined);
    else writeAll(fd, bytes.subarray(count), position + count, finished);
  });
}

function openFile(path: string, fd: number): OpenFile {
  return {
    stat: () => call<fs.BigIntStats>(path, (finished) => fs.fstat(fd, { bigint: true }, finished)).pipe(map(statOf)),
    read: (target, position) =>
      call<number>(path, (finished) =>
        fs.read(fd, target, 0, target.length, position, (error, count) => finished(error, count)),
      ),
    write: (bytes, position) => call<undefined>(path, (finished) => writeAll(fd, bytes, position, finished)),
    truncate: (length) =>
      call<unknown>(path, (finished) => fs.ftruncate(fd, length, (error) => finished(error, undefined))).pipe(done),
    sync: () => call<unknown>(path, (finished) => fs.fdatasync(fd, (error) => finished(error, undefined))).pipe(done),
    close: () => call<unknown>(path, (finished) => fs.close(fd, (error) => finished(error, undefined))).pipe(done),
  };
}

/** Opening a pipe or a device for reading would wait for its other end; a regular file does not mind the flag. */
const OPEN_FLAGS = {
  read: fs.constants.O_RDONLY | fs.constants.O_NONBLOCK,
  write: fs.constants.O_RDWR | fs.constants.O_CREAT,
  replace: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC,
} as const;

/** Readable and writable for the owner, readable for the group: logs are nobody else's business. */
const FILE_MODE = 0o640;

function syncFolder(folder: string): Observable<void> {
  return call<undefined>(folder, (finished) => {
    fs.open(folder, fs.constants.O_RDONLY, (openError, fd) => {
      if (openError !== null) {
        finished(openError, undefined);
        return;
      }
      fs.fsync(fd, (error) => fs.close(fd, () => finished(error, undefined)));
    });
  }).pipe(done);
}

/** Names that change in a folder. One watch serves every file in it. */
function watchFolder(folder: string): Observable<FolderChange> {
  return new Observable((subscriber) => {
    let watcher: fs.FSWatcher;
    try {
      watcher = fs.watch(folder, (type, name) => {
        if (name !== null) subscriber.next({ name, kind: type === 'rename' ? 'entry' : 'content' });
      });
    } catch (error) {
      subscriber.error(fileError(error as NodeJS.ErrnoException, folder));
      return undefined;
    }
    watcher.on('error', (error) => subscriber.error(fileError(error, folder)));
    return () => watcher.close();
  });
}

/** The real file system. Errors are MILLRACE_E_FILE_…, with the system's own as their cause. */
export const nodeFiles: Files = {
  stat: (path) =>
    call<fs.BigIntStats | undefined>(path, (finished) => {
      fs.stat(path, { bigint: true }, (error, stats) => {
        const isMissing = error?.code === 'ENOENT' || error?.code === 'ENOTDIR';
        finished(isMissing ? null : error, isMissing ? undefined : stats);
      });
    }).pipe(map((stats) => (stats === undefined ? undefined : statOf(stats)))),
  list: (folder) =>
    call<readonly string[]>(folder, (finished) => {
      fs.readdir(folder, (error, names) =>
        finished(error?.code === 'ENOENT' ? null : error, error === null ? names : []),
      );
    }),
  glob: (patterns, exclude) =>
    defer(() =>
      glob([...patterns], {
        ignore: [...exclude],
        dot: true,
        onlyFiles: true,
        expandDirectories: false,
        absolute: true,
      }),
    ).pipe(map((paths) => paths.sort())),
  open: (path, mode) =>
    call<number>(path, (finished) => fs.open(path, OPEN_FLAGS[mode], FILE_MODE, finished)).pipe(
      map((fd) => openFile(path, fd)),
    ),
  rename: (from, to) =>
    call<undefined>(from, (finished) => fs.rename(from, to, (error) => finished(error, undefined))).pipe(done),
  remove: (path) =>
    call<undefined>(path, (finished) => fs.rm(path, { force: true }, (error) => finished(error, undefined))).pipe(done),
  makeFolder: (path) =>
    call<unknown>(path, (finished) => fs.mkdir(path, { recursive: true }, (error) => finished(error, undefined))).pipe(
      done,
    ),
  syncFolder,
  watch: watchFolder,
};
