import { randomBytes } from 'node:crypto';
import { asyncScheduler, defer, ignoreElements, merge, Subject, takeUntil } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { Lane } from '../../model/batch.js';
import type { Files, FolderChange } from '../../model/files.js';
import type { Source } from '../../model/source.js';
import { withArchives } from './archive-file.js';
import type { Unpack } from './archive-file.js';
import { Folders } from './folders.js';
import { Lanes } from './lanes.js';
import { Looks } from './looks.js';
import type { TailOptions } from './options.js';
import { Registry } from './registry.js';
import type { Setting } from './setting.js';
import { canUnpack as zlibCanUnpack, unpack as zlibUnpack } from './unpack.js';

const BLOCK_BYTES = 512 * 1024;

/** What a tail source needs of the world. */
export interface TailPorts {
  readonly files: Files;
  /** A new random incarnation id. Default: 64 random bits, in hexadecimal. */
  readonly mint?: () => string;
  /** Unpacks archives. Default: Node's zlib, in the formats that it has. */
  readonly unpack?: Unpack;
  /** So much of a file is read at a time. Default 512 KiB. */
  readonly blockBytes?: number;
}

/**
 * Reads files and follows them as they grow and rotate. Every incarnation of a file is a lane.
 *
 * - a line comes out if at some look it is in the file, or in its renamed or copied successor in the same folder;
 *   what was removed before it could be read is reported with its size (MILLRACE_E_TAIL_LOST).
 * - the incarnations of a path are read one after the other.
 * - changes are noticed by notification, and by a look every `pollMs` where there is none (NFS).
 * - rotated files that were compressed (.gz, .zst): what of a known one was not read comes out of its archive; one that
 *   the patterns match and nobody knows is read once, as an incarnation whose positions are those of its content.
 * - when demand is shut nothing is read: the file is the buffer.
 * - memory: an entry a file; at most `maxOpenFiles` files are open, and four blocks of them are read ahead of demand. One
 *   timer for all files.
 */
export function tailSource(
  options: TailOptions,
  { files: plain, mint = () => randomBytes(8).toString('hex'), unpack, blockBytes = BLOCK_BYTES }: TailPorts,
  scheduler: SchedulerLike = asyncScheduler,
): Source {
  const files = withArchives(plain, unpack ?? zlibUnpack);
  const canUnpack = unpack === undefined ? zlibCanUnpack : () => true;
  return {
    open: (context) =>
      defer(
        () =>
          new Tailing({ options, files, canUnpack, mint, context, scheduler, blockBytes, registry: new Registry() })
            .run,
      ),
  };
}

/** An open source: lanes are read, looks find out what there is to read, folders say when to look. */
class Tailing {
  readonly #setting: Setting;
  readonly #lanes: Lanes;
  readonly #folders: Folders;
  readonly #looks: Looks;
  readonly #finished = new Subject<void>();

  constructor(setting: Setting) {
    this.#setting = setting;
    const finishOnce = (): void => this.#finishOnce();
    this.#lanes = new Lanes(setting, { lookSoon: () => this.#looks.soon(), ended: finishOnce });
    this.#folders = new Folders(setting, (path, kind) => this.#changed(path, kind));
    this.#looks = new Looks(setting, this.#lanes, this.#folders, finishOnce);
  }

  get run(): Observable<Lane> {
    const over = merge(this.#setting.context.stop, this.#finished);
    return merge(
      this.#lanes.until(over),
      this.#folders.watching.pipe(ignoreElements(), takeUntil(over)),
      this.#looks.looking.pipe(takeUntil(over)),
    );
  }

  #changed(path: string, kind: FolderChange['kind']): void {
    const { registry } = this.#setting;
    const incarnation = registry.at(path);
    if (incarnation !== undefined) this.#lanes.nudge(incarnation);
    // A file that was empty is no incarnation before its first line.
    const isNew = incarnation === undefined && registry.isMatched(path);
    if (kind === 'entry' || isNew) this.#looks.soon();
  }

  /** With `once`: everything that is there was read. */
  #finishOnce(): void {
    if (this.#setting.context.once && this.#looks.areDone && this.#lanes.areDone) this.#finished.next();
  }
}
