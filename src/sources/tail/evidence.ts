import { hash as digest } from 'node:crypto';
import type { OpenFile } from '../../model/files.js';
import { wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';

/** Enough for a banner and a first time stamp. */
export const HEAD_BYTES = 256;
export const TAIL_BYTES = 64;

/** What tells a file from another one: its first bytes, and the bytes just before `end`. Only of what was seen in it. */
export interface Evidence {
  /** How far the file was read, or how long it was when it was found. */
  readonly end: number;
  readonly head: string;
  readonly tail: string;
}

/** Log lines may be secret: the checkpoint gets their hash. Source: FIPS 180-4, SHA-256, its first 96 bits. */
function hash(bytes: Uint8Array): string {
  return digest('sha256', bytes, 'base64url').slice(0, 16);
}

/** Collects evidence while a file is read. */
export class EvidenceKeeper {
  #end: number;
  #head: Buffer;
  #tail: Buffer;
  #headHash: string | undefined;

  /** Of a file that was read up to `end`: its first bytes, and those just before `end`. */
  constructor(end = 0, head: Buffer = Buffer.alloc(0), tail: Buffer = Buffer.alloc(0)) {
    this.#end = end;
    this.#head = head;
    this.#tail = tail;
  }

  /** The last bytes that were read: a file that has others there now was rewritten. */
  get tail(): Buffer {
    return this.#tail;
  }

  /** Takes the bytes that were read next. */
  add(bytes: Buffer): void {
    this.#end += bytes.length;
    if (this.#head.length < HEAD_BYTES) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)]);
      this.#headHash = undefined;
    }
    const last = bytes.length < TAIL_BYTES ? Buffer.concat([this.#tail, bytes]) : bytes;
    // A copy: the block that the bytes lie in is used again.
    this.#tail = Buffer.from(last.subarray(-TAIL_BYTES));
  }

  get evidence(): Evidence {
    this.#headHash ??= hash(this.#head);
    return { end: this.#end, head: this.#headHash, tail: hash(this.#tail) };
  }
}

/** Whether there is so little that it may be no more than how all files of a path begin. */
export function isVague({ end }: Evidence): boolean {
  return end < HEAD_BYTES;
}

/** Of a file that could not be read: anything goes with it. */
export const noEvidence: Evidence = new EvidenceKeeper().evidence;

/** Reads exactly `from` … `to`, or what there is of it. */
function* readRange(file: OpenFile, from: number, to: number): Routine<Buffer> {
  const bytes = Buffer.alloc(Math.max(0, to - from));
  let count = 0;
  while (count < bytes.length) {
    const more = yield* wait(file.read(bytes.subarray(count), from + count));
    if (more === 0) break;
    count += more;
  }
  return bytes.subarray(0, count);
}

/** What a file would give as evidence if it had been read up to `end`, or to where it ends before. */
export function* readEvidence(file: OpenFile, end: number): Routine<EvidenceKeeper> {
  const head = yield* readRange(file, 0, Math.min(HEAD_BYTES, end));
  if (end <= HEAD_BYTES) return new EvidenceKeeper(head.length, head, head.subarray(-TAIL_BYTES));
  const from = end - TAIL_BYTES;
  const tail = yield* readRange(file, from, end);
  return new EvidenceKeeper(from + tail.length, head, tail);
}

/** Whether bytes from the beginning of a file are enough to tell, and have what was read before. */
export function beginsWith(bytes: Buffer, { end, head, tail }: Evidence): boolean {
  if (bytes.length < end) return false;
  const [first, last] = [
    bytes.subarray(0, Math.min(HEAD_BYTES, end)),
    bytes.subarray(Math.max(0, end - TAIL_BYTES), end),
  ];
  return hash(first) === head && hash(last) === tail;
}

/** Whether a file has what was read before, as far as it was read. Anything goes with a file of which nothing was. */
export function* matches(file: OpenFile, evidence: Evidence): Routine<boolean> {
  const { size } = yield* wait(file.stat());
  if (size < evidence.end) return false;
  // What is in an archive takes long to reach: most that are not the one begin otherwise.
  if (evidence.end > HEAD_BYTES && hash(yield* readRange(file, 0, HEAD_BYTES)) !== evidence.head) return false;
  const found = (yield* readEvidence(file, evidence.end)).evidence;
  return found.head === evidence.head && found.tail === evidence.tail;
}
