import { defer, map } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { Files, OpenFile } from '../../model/files.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';

/** What is read of archives: one compressed file each. */
export type ArchiveFormat = 'gz' | 'zst';

/** The content of an archive, from its beginning, in blocks of bounded size. */
export interface Unpacked {
  /** Emits the next block, or undefined at the end. Errors: MILLRACE_E_ARCHIVE_DAMAGED, after all that can be read. */
  next(): Observable<Uint8Array | undefined>;
  close(): void;
}

/** Unpacks an archive as it is asked for more. The file stays open, and is not closed. */
export type Unpack = (file: OpenFile, format: ArchiveFormat) => Unpacked;

/** Whoever reads goes back a little, to see that the file is still the same one. */
const KEPT_BYTES = 64 * 1024;
/** The beginning is read again and again: it tells files from each other. */
const HEAD_BYTES = 256;

export function archiveFormatOf(path: string): ArchiveFormat | undefined {
  return /\.(gz|zst)$/i.exec(path)?.[1]?.toLowerCase() as ArchiveFormat | undefined;
}

/** The same files, with archives as what is packed in them: positions are those of the content. */
export function withArchives(files: Files, unpack: Unpack): Files {
  return {
    ...files,
    open: (path, mode) => {
      const format = mode === 'read' ? archiveFormatOf(path) : undefined;
      if (format === undefined) return files.open(path, mode);
      return files.open(path, mode).pipe(map((file) => new ArchiveFile(file, () => unpack(file, format)).open));
    },
  };
}

/** Reads go on where the last one ended; one far back begins anew. Memory: what is kept, and a block. */
class ArchiveFile {
  readonly #file: OpenFile;
  readonly #unpack: () => Unpacked;
  #unpacked: Unpacked | undefined;
  /** What was unpacked last, after what came just before it. */
  #window: Buffer = Buffer.alloc(0);
  /** Where the window ends in the content. */
  #end = 0;
  #head: Buffer = Buffer.alloc(0);
  #isAtEnd = false;

  constructor(file: OpenFile, unpack: () => Unpacked) {
    this.#file = file;
    this.#unpack = unpack;
  }

  get open(): OpenFile {
    const file = this.#file;
    return {
      ...file,
      // How long the content is shows when it was read.
      stat: () => file.stat().pipe(map((of) => ({ ...of, size: Infinity }))),
      read: (target, position) => steps<number>((emit) => this.#read(target, position, emit)),
      close: () =>
        defer(() => {
          this.#unpacked?.close();
          return file.close();
        }),
    };
  }

  *#read(target: Uint8Array, position: number, emit: (count: number) => void): Routine {
    if (position + target.length <= this.#head.length) {
      target.set(this.#head.subarray(position, position + target.length));
      emit(target.length);
      return;
    }
    if (position < this.#end - this.#window.length) this.#restart();
    const endBefore = this.#end;
    let count = 0;
    try {
      for (; count < target.length; count += this.#copy(target.subarray(count), position + count)) {
        while (this.#end <= position + count && !this.#isAtEnd) yield* this.#more();
        if (this.#end <= position + count) break;
      }
    } catch (error) {
      // Whoever asks for what comes then hears of it.
      if (count === 0 || this.#end === endBefore || !(error instanceof MillraceError)) throw error;
    }
    emit(count);
  }

  #copy(target: Uint8Array, position: number): number {
    const bytes = this.#window.subarray(position - (this.#end - this.#window.length));
    target.set(bytes.subarray(0, target.length));
    return Math.min(bytes.length, target.length);
  }

  *#more(): Routine {
    this.#unpacked ??= this.#unpack();
    const block = yield* wait(this.#unpacked.next());
    if (block === undefined) {
      this.#isAtEnd = true;
      return;
    }
    this.#end += block.length;
    this.#window = Buffer.concat([this.#window.subarray(-KEPT_BYTES), block]);
    if (this.#head.length < HEAD_BYTES && this.#end - this.#window.length === 0) {
      this.#head = Buffer.from(this.#window.subarray(0, HEAD_BYTES));
    }
  }

  #restart(): void {
    this.#unpacked?.close();
    this.#unpacked = undefined;
    this.#window = Buffer.alloc(0);
    this.#end = 0;
    this.#isAtEnd = false;
  }
}
