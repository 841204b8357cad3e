import { Observable } from 'rxjs';
import type { ErrorCode } from '../model/errors.js';
import { MillraceError } from '../model/errors.js';
import type { FileStat, Files, FolderChange, OpenFile } from '../model/files.js';
import { folderOf, nameOf } from '../model/files.js';
import type { FakeDisk, Inode } from './fake-disk.js';
import { globMatcher } from './glob-matcher.js';
import type { VirtualClock } from './virtual-clock.js';

/** A call that fails, while the fault is there. */
export interface Fault {
  /** A method of `Files` or `OpenFile`, or what `call` was given. */
  readonly call: string;
  readonly path: string;
  readonly code: ErrorCode;
}

/** How a process sees the disk, and when it dies. */
export interface FakeFilesOptions {
  /** The call, counted from 1, at which the process dies. Default: never. */
  readonly crashAt?: number;
  /** What a crash leaves: `kill` all that was written, `power` what was synced, and by luck more. Default kill. */
  readonly crash?: 'kill' | 'power';
  /** Changes are notified: all, some of them, or watching is an error. Default `never`. */
  readonly watches?: 'always' | 'sometimes' | 'never';
  /** A call takes less than this. Default 2. */
  readonly maxLatencyMs?: number;
  /** Hears of every call. */
  readonly trace?: (line: string) => void;
}

interface Pending {
  readonly effect: () => unknown;
  readonly tear: (() => void) | undefined;
}

/**
 * What one process sees of the disk. Every call is counted, takes virtual time, and can be the one at which the process
 * dies: then it does not happen, or a write in part; what is under way happens or not; nothing is answered any more.
 */
export class FakeFiles implements Files {
  calls = 0;
  isDead = false;
  openFiles = 0;
  mostOpenFiles = 0;
  /** Writes to a file that is closed: on a real system, to somebody else's. A read there only reads for nobody. */
  misuses = 0;
  /** By name of the call, and by name and path. */
  readonly counts: Map<string, number> = new Map<string, number>();
  readonly faults: Set<Fault> = new Set<Fault>();
  readonly #disk: FakeDisk;
  readonly #clock: VirtualClock;
  readonly #options: Required<FakeFilesOptions>;
  readonly #pending = new Set<Pending>();
  readonly #handles = new Set<{ readonly inode: Inode }>();

  constructor(disk: FakeDisk, clock: VirtualClock, options: FakeFilesOptions = {}) {
    this.#disk = disk;
    this.#clock = clock;
    this.#options = {
      crashAt: Infinity,
      crash: 'kill',
      watches: 'never',
      maxLatencyMs: 2,
      trace: () => {},
      ...options,
    };
  }

  /** How often a call was made, or a call with a path. */
  count(call: string, path?: string): number {
    return this.counts.get(path === undefined ? call : `${call} ${path}`) ?? 0;
  }

  /** The process dies now. */
  crash(): void {
    if (this.isDead) return;
    this.isDead = true;
    for (const { effect, tear } of this.#pending) this.#lastMoment(effect, tear);
    for (const { inode } of this.#handles) this.#disk.close(inode);
    if (this.#options.crash === 'power') this.#disk.powerFails();
  }

  stat = (path: string): Observable<FileStat | undefined> =>
    this.#call('stat', path, () => {
      if (this.#disk.isFolder(path)) return { id: `1:${path}`, size: 0, mtimeMs: 0, kind: 'folder' as const };
      const inode = this.#disk.inode(path);
      return inode === undefined ? undefined : statOf(inode);
    });

  list = (folder: string): Observable<readonly string[]> =>
    this.#call('list', folder, () => this.#disk.paths.filter((path) => folderOf(path) === folder).map(nameOf));

  glob = (patterns: readonly string[], exclude: readonly string[]): Observable<readonly string[]> =>
    this.#call('glob', patterns.join(), () => {
      const [isMatch, isExcluded] = [globMatcher(patterns), globMatcher(exclude)];
      return this.#disk.paths.filter((path) => isMatch(path) && !isExcluded(path)).sort();
    });

  open = (path: string, mode: 'read' | 'write' | 'replace'): Observable<OpenFile> =>
    this.#call('open', path, () => {
      let inode = this.#disk.inode(path);
      if (this.#disk.isFolder(path)) throw new MillraceError('MILLRACE_E_FILE_IS_DIRECTORY', path);
      if (inode === undefined && (mode === 'read' || !this.#disk.isFolder(folderOf(path)))) {
        throw new MillraceError('MILLRACE_E_FILE_NOT_FOUND', path);
      }
      inode ??= this.#disk.create(path);
      if (mode === 'replace') this.#disk.change(inode, { length: 0 });
      return this.#opened(path, inode);
    });

  rename = (from: string, to: string): Observable<void> =>
    this.#call('rename', from, () => {
      const inode = this.#disk.inode(from);
      if (inode === undefined) throw new MillraceError('MILLRACE_E_FILE_NOT_FOUND', from);
      this.#disk.changeEntries(folderOf(from), [
        [to, inode],
        [from, undefined],
      ]);
    });

  remove = (path: string): Observable<void> =>
    this.#call('remove', path, () => {
      if (this.#disk.inode(path) !== undefined) this.#disk.changeEntries(folderOf(path), [[path, undefined]]);
    });

  makeFolder = (path: string): Observable<void> => this.#call('makeFolder', path, () => this.#disk.makeFolder(path));

  syncFolder = (path: string): Observable<void> => this.#call('syncFolder', path, () => this.#disk.syncFolder(path));

  watch = (folder: string): Observable<FolderChange> =>
    new Observable((subscriber) => {
      const { watches } = this.#options;
      if (watches === 'never' || !this.#disk.isFolder(folder)) {
        subscriber.error(new MillraceError('MILLRACE_E_FILE_IO', folder));
        return undefined;
      }
      return this.#disk.watch(folder, (change) => {
        if (watches === 'sometimes' && this.#disk.random.chance(0.5)) return;
        subscriber.add(this.#clock.schedule(() => subscriber.next(change), this.#latency()));
      });
    });

  /**
   * A call of another port, a database's or a service's, counted and cut like those of the disk: `effect` is what it does
   * to whatever outlives the process; it takes place after a while, or never. `tear` does a part of it, if that can happen.
   */
  call<T>(name: string, effect: () => T, tear?: () => void): Observable<T> {
    return this.#call(name, '', effect, tear);
  }

  #opened(path: string, inode: Inode): OpenFile {
    const handle = { inode };
    this.#handles.add(handle);
    inode.handles++;
    this.openFiles++;
    this.mostOpenFiles = Math.max(this.mostOpenFiles, this.openFiles);
    const call = <T>(name: keyof OpenFile, effect: () => T, tear?: () => void): Observable<T> =>
      this.#call(
        name,
        path,
        () => {
          if (this.#handles.has(handle)) return effect();
          if (name === 'write' || name === 'truncate') this.misuses++;
          throw new MillraceError('MILLRACE_E_FILE_IO', `${path} (EBADF)`);
        },
        tear,
      );
    const write = (at: number, bytes: Uint8Array): void => this.#disk.change(inode, { at, bytes: Buffer.from(bytes) });
    return {
      stat: () => call('stat', () => statOf(inode)),
      read: (target, position) => call('read', () => inode.content.subarray(position).copy(target)),
      write: (bytes, position) =>
        call(
          'write',
          () => write(position, bytes),
          () => write(position, bytes.subarray(0, this.#disk.random.below(bytes.length + 1))),
        ),
      truncate: (length) => call('truncate', () => this.#disk.change(inode, { length })),
      sync: () => call('sync', () => this.#disk.sync(inode)),
      close: () =>
        call('close', () => {
          this.#handles.delete(handle);
          this.openFiles--;
          this.#disk.close(inode);
        }),
    };
  }

  /** A call takes its effect after a while, whether somebody still waits for it or not. */
  #call<T>(name: string, path: string, effect: () => T, tear?: () => void): Observable<T> {
    return new Observable((subscriber) => {
      if (this.isDead) return;
      this.calls++;
      this.#options.trace(`#${this.calls} ${name} ${path}`.trimEnd());
      for (const key of [name, `${name} ${path}`]) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
      if (this.calls === this.#options.crashAt) {
        if (this.#disk.random.chance(0.5)) tear?.();
        this.crash();
        return;
      }
      const pending: Pending = { effect, tear };
      this.#pending.add(pending);
      this.#clock.schedule(() => {
        if (this.isDead) return;
        this.#pending.delete(pending);
        let result: T;
        try {
          this.#checkFaults(name, path, tear);
          result = effect();
        } catch (error) {
          subscriber.error(error);
          return;
        }
        subscriber.next(result);
        subscriber.complete();
      }, this.#latency());
    });
  }

  #checkFaults(name: string, path: string, tear: (() => void) | undefined): void {
    for (const fault of this.faults) {
      if (fault.call !== name || fault.path !== path) continue;
      tear?.();
      throw new MillraceError(fault.code, `${name} ${path}`);
    }
  }

  #latency(): number {
    return this.#disk.random.below(this.#options.maxLatencyMs);
  }

  /** What was under way when the process died. */
  #lastMoment(effect: () => unknown, tear: (() => void) | undefined): void {
    const luck = this.#disk.random.below(3);
    if (luck === 0) return;
    try {
      if (luck === 1) effect();
      else tear?.();
    } catch {
      // It would have been an error; nobody hears of it.
    }
  }
}

function statOf({ number, content, mtimeMs }: Inode): FileStat {
  return { id: `1:${number}`, size: content.length, mtimeMs, kind: 'file' };
}
