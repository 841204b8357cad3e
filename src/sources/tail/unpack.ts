import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import { defer, from, lastValueFrom } from 'rxjs';
import type { Observable } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { OpenFile } from '../../model/files.js';
import type { ArchiveFormat, Unpack, Unpacked } from './archive-file.js';

const PACKED_BYTES = 64 * 1024;
/** So much is unpacked at a time, however little it was packed into; as much may be missing before a damaged place. */
const BLOCK_BYTES = 16 * 1024;

/** What a part begins with, and what the engine may leave of the one before. Source: RFC 8878, 3.1.1. */
const ZSTD_MAGIC = Buffer.from('28b52ffd', 'hex');
const CHECKSUM_BYTES = 4;

/** `bytesWritten`: how much of what was written it has used. */
type Engine = Transform & { readonly bytesWritten: number };

interface Unpacker {
  readonly start: () => Engine;
  /** The engine ends after the first part of several, and the next one needs another engine. */
  readonly isOnePart: boolean;
}

const options = { chunkSize: BLOCK_BYTES };
/** Node has no zstd before 22.15. */
const { createZstdDecompress } = zlib as { readonly createZstdDecompress?: (given: typeof options) => Engine };

const UNPACKERS: Readonly<Record<ArchiveFormat, Unpacker | undefined>> = {
  gz: { start: () => zlib.createGunzip(options), isOnePart: false },
  zst: createZstdDecompress && { start: () => createZstdDecompress(options), isOnePart: true },
};

/** Whether this version of Node can unpack the format. */
export function canUnpack(format: ArchiveFormat): boolean {
  return UNPACKERS[format] !== undefined;
}

/** Unpacks by Node's own zlib, in its thread pool. Memory: a block of each side, whatever the archive claims to hold. */
export const unpack: Unpack = (file, format) => {
  const unpacker = UNPACKERS[format];
  if (unpacker === undefined) throw new MillraceError('MILLRACE_E_ARCHIVE_UNSUPPORTED', format);
  return new Unpacking(file, unpacker);
};

class Unpacking implements Unpacked {
  readonly #file: OpenFile;
  readonly #unpacker: Unpacker;
  readonly #packed: Buffer = Buffer.alloc(PACKED_BYTES);
  #engine: Engine;
  /** Where the part begins that the engine unpacks. */
  #partBegin = 0;
  #position = 0;
  #isWriting = false;
  #isEnded = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(file: OpenFile, unpacker: Unpacker) {
    this.#file = file;
    this.#unpacker = unpacker;
    this.#engine = this.#started();
  }

  next(): Observable<Uint8Array | undefined> {
    return defer(() => from(this.#next()));
  }

  close(): void {
    this.#engine.destroy();
  }

  #started(): Engine {
    const engine = this.#unpacker.start();
    this.#isWriting = false;
    this.#isEnded = false;
    return engine
      .on('readable', () => this.#wake())
      .on('end', () => {
        this.#isEnded = true;
        this.#wake();
      })
      .on('error', (error: Error) => {
        // One that has ended is destroyed with what it did not use.
        if (engine === this.#engine) this.#error = error;
        this.#wake();
      });
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const block = this.#engine.read() as Buffer | null;
      if (block !== null) return block;
      if (this.#error !== undefined) {
        throw new MillraceError('MILLRACE_E_ARCHIVE_DAMAGED', messageOf(this.#error), { cause: this.#error });
      }
      // What it did not use of what it got belongs to the next part.
      const isPartOver = !this.#isWriting && this.#engine.bytesWritten < this.#position - this.#partBegin;
      if (this.#isEnded || isPartOver) {
        if (!(await this.#hasNextPart())) return undefined;
      } else if (this.#isWriting || this.#engine.writableEnded) {
        await new Promise<void>((wake) => (this.#wake = wake));
      } else await this.#feed();
    }
  }

  /** Only when everything was taken out. */
  async #feed(): Promise<void> {
    const count = await this.#read();
    if (count === 0) {
      this.#engine.end();
      return;
    }
    this.#position += count;
    this.#isWriting = true;
    const engine = this.#engine;
    engine.write(this.#packed.subarray(0, count), () => {
      if (engine !== this.#engine) return;
      this.#isWriting = false;
      this.#wake();
    });
  }

  async #hasNextPart(): Promise<boolean> {
    if (!this.#unpacker.isOnePart) return false;
    this.#partBegin += this.#engine.bytesWritten;
    this.#position = this.#partBegin;
    const count = await this.#read();
    const next = [0, CHECKSUM_BYTES].find((at) => this.#packed.subarray(at, count).indexOf(ZSTD_MAGIC) === 0);
    if (next === undefined && count <= CHECKSUM_BYTES) return false;
    if (next === undefined) throw new MillraceError('MILLRACE_E_ARCHIVE_DAMAGED', 'something else follows');
    this.#position = this.#partBegin += next;
    const ended = this.#engine;
    this.#engine = this.#started();
    ended.destroy();
    return true;
  }

  async #read(): Promise<number> {
    return await lastValueFrom(this.#file.read(this.#packed, this.#position), { defaultValue: 0 });
  }
}
