import { AsyncSubject, catchError, map, NEVER, of, race, take, takeUntil, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Batch, Lane } from '../../model/batch.js';
import { MillraceError } from '../../model/errors.js';
import type { OpenFile } from '../../model/files.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { framingOf } from '../framing-of.js';
import { beginsWith, matches, readEvidence, TAIL_BYTES } from './evidence.js';
import type { Incarnation, Progress } from './incarnation.js';
import { LaneOutput } from './lane-output.js';
import type { ReaderEnvironment } from './reader-environment.js';

const SMALL_BLOCK_BYTES = 16 * 1024;
/** A longer incomplete line is not kept in memory for a file that nobody writes to. */
const MAX_KEPT_LINE_BYTES = 64 * 1024;
/** So often the lane looks whether others wait for their turn. */
const BATCHES_A_TURN = 64;

/** The batches of one incarnation: until it was read to its end, must make room, or cannot be read. */
export function readLane(
  incarnation: Incarnation,
  fields: Lane['fields'],
  environment: ReaderEnvironment,
): Observable<Batch> {
  const { context } = environment;
  const read = (emit: (batch: Batch) => void): Routine =>
    new LaneReader(incarnation, fields, environment, new LaneOutput(incarnation, context.demand, emit)).run();
  return steps<Batch>(read).pipe(
    // What was read is settled by those who have it; what is still being read will be read again.
    takeUntil(context.stop),
  );
}

/** A read of a block, and when its file had been changed last before. */
interface BlockRead {
  readonly from: number;
  readonly buffer: Buffer;
  readonly target: Buffer;
  readonly seenMtimeMs: number;
  /** How much was read. */
  readonly count: Observable<number>;
}

/** One turn of reading an incarnation, from opening its file to closing it. */
class LaneReader {
  readonly #incarnation: Incarnation;
  readonly #fields: Lane['fields'];
  readonly #environment: ReaderEnvironment;
  readonly #output: LaneOutput;
  /** So much is asked for where nobody knows how much there is. */
  #guessBytes = SMALL_BLOCK_BYTES;
  /** The block after the one that is taken apart. */
  #ahead: BlockRead | undefined;
  /** Where it ended when it had not grown for `rotateWaitMs`. */
  #quietEnd: number | undefined;

  constructor(incarnation: Incarnation, fields: Lane['fields'], environment: ReaderEnvironment, output: LaneOutput) {
    this.#incarnation = incarnation;
    this.#fields = fields;
    this.#environment = environment;
    this.#output = output;
  }

  *run(): Routine {
    const incarnation = this.#incarnation;
    const { files } = this.#environment;
    let file: OpenFile | undefined;
    try {
      if (incarnation.isArchive && incarnation.isCaughtUp) {
        this.#output.noteDone();
        return;
      }
      file = yield* wait(files.open(incarnation.location, 'read'));
      const { id } = yield* wait(file.stat());
      incarnation.isOpen = true;
      const progress = id === incarnation.fileId ? yield* this.#resume(file, id) : undefined;
      if (progress === undefined) this.#leave();
      else yield* this.#follow(file, id, progress);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      if (error.code === 'MILLRACE_E_ARCHIVE_DAMAGED') this.#endDamaged(error);
      // Somebody renamed or removed it between a look and now.
      else if (error.code === 'MILLRACE_E_FILE_NOT_FOUND') this.#leave();
      else throw error;
    } finally {
      incarnation.isOpen = false;
      this.#takeAhead();
      file?.close().subscribe({ error: () => undefined });
      this.#rest();
    }
  }

  /** Goes on where it was, if the file still has what was read of it. */
  *#resume(file: OpenFile, fileId: string): Routine<Progress | undefined> {
    const incarnation = this.#incarnation;
    if (incarnation.progress !== undefined) {
      this.#environment.context.demand.adjust(incarnation.id, incarnation.progress.splitter.heldBytes);
      return incarnation.progress;
    }
    const keeper = yield* readEvidence(file, incarnation.position);
    // Only now: if it was cut meanwhile, it shows here. At the beginning there is nothing to go on from yet.
    if (incarnation.position > 0 && !(yield* matches(file, incarnation.evidence))) {
      this.#noteRewritten(fileId);
      return undefined;
    }
    const { options, context } = this.#environment;
    const splitter = framingOf(options, incarnation.position, context.filterFor?.(this.#fields));
    incarnation.progress = { splitter, keeper };
    return incarnation.progress;
  }

  /** Reads to the end, and again whenever there is more. */
  *#follow(file: OpenFile, fileId: string, progress: Progress): Routine {
    const incarnation = this.#incarnation;
    for (let batches = 0; ;) {
      incarnation.isDirty = false;
      const read = yield* this.#readBlock(file, progress);
      if (read === 'rewritten') {
        this.#noteRewritten(fileId);
        this.#leave();
        return;
      }
      batches += read;
      incarnation.failedTries = 0;
      const isAtEnd = read === 0 && !incarnation.isDirty;
      if (isAtEnd && (yield* this.#isDone(progress))) return;
      if (batches >= BATCHES_A_TURN && !incarnation.isGone && this.#environment.othersWait()) {
        incarnation.isDirty = true;
        return;
      }
    }
  }

  /** A look may have found meanwhile where the rest of it is: then only this file is no longer the right one. */
  #noteRewritten(fileId: string): void {
    if (fileId === this.#incarnation.fileId) this.#incarnation.isRewritten = true;
  }

  /** Whether what was read at the beginning of a file is of the one that was seen: afterwards it still was that one. */
  *#isStill(file: OpenFile, overlap: number, read: Buffer): Routine<boolean> {
    const { evidence } = this.#incarnation;
    return overlap > 0 || beginsWith(read, evidence) || (yield* matches(file, evidence));
  }

  /** Reads what is there, at most a block, and emits its lines. Returns 0 at the end of the file, else at least 1. */
  *#readBlock(file: OpenFile, progress: Progress): Routine<number | 'rewritten'> {
    const { id, seenSize } = this.#incarnation;
    const { buffers, context, blockBytes } = this.#environment;
    const { splitter, keeper } = progress;
    const want = Math.min(blockBytes, Math.max(this.#guessBytes, seenSize - splitter.end));
    yield* this.#output.reserve(splitter.heldBytes, want);
    const overlap = keeper.tail.length;
    let read = yield* this.#wholeAhead(splitter.end - overlap, want + overlap);
    read ??= this.#startRead(file, splitter.end - overlap, want + overlap);
    const { buffer, target, seenMtimeMs } = read;
    let count: number;
    try {
      count = yield* wait(read.count);
    } catch (error) {
      context.demand.adjust(id, -want);
      throw error;
    }
    const isFull = count === target.length;
    // A full block: there is probably more than the last look saw.
    this.#guessBytes = isFull ? blockBytes : SMALL_BLOCK_BYTES;
    const isSame = count >= overlap && keeper.tail.compare(target, 0, overlap) === 0;
    if (!isSame || !(yield* this.#isStill(file, overlap, target.subarray(0, count)))) {
      buffers.give(buffer);
      context.demand.adjust(id, -want);
      return 'rewritten';
    }
    this.#incarnation.provenMtimeMs = seenMtimeMs;
    if (count > overlap) this.#noteRead(splitter.end + count - overlap);
    if (isFull && want === blockBytes) this.#readAhead(file, splitter.end + count - overlap);
    const used = yield* this.#output.emitLines(target.subarray(overlap, count), progress, want);
    buffers.give(buffer);
    return count === overlap ? 0 : Math.max(1, used);
  }

  #startRead(file: OpenFile, from: number, bytes: number): BlockRead {
    const buffer = this.#environment.buffers.take(bytes);
    const target = buffer.subarray(0, bytes);
    return { from, buffer, target, seenMtimeMs: this.#incarnation.seenMtimeMs, count: file.read(target, from) };
  }

  /** Reads what is to come while what is there is taken apart: the system needs another processor for it. */
  #readAhead(file: OpenFile, end: number): void {
    const { buffers, blockBytes } = this.#environment;
    if (this.#incarnation.isArchive || !buffers.mayTakeAhead()) return;
    const read = this.#startRead(file, end - TAIL_BYTES, blockBytes + TAIL_BYTES);
    const count = new AsyncSubject<number>();
    read.count.subscribe(count);
    this.#ahead = { ...read, count };
  }

  #takeAhead(): BlockRead | undefined {
    const ahead = this.#ahead;
    if (ahead !== undefined) this.#environment.buffers.tookAhead();
    this.#ahead = undefined;
    return ahead;
  }

  /** The block that was read ahead, if it is this one and whole: where a file ends must not be an old answer. */
  *#wholeAhead(from: number, bytes: number): Routine<BlockRead | undefined> {
    const ahead = this.#takeAhead();
    if (ahead === undefined) return undefined;
    const count = yield* wait(ahead.count.pipe(catchError(() => of(0))));
    if (ahead.from === from && ahead.target.length === bytes && count === bytes) return ahead;
    this.#environment.buffers.give(ahead.buffer);
    return undefined;
  }

  /** What comes before the damage was read; trying again would not change what comes after it. */
  #endDamaged({ code, message }: MillraceError): void {
    const incarnation = this.#incarnation;
    const bytes = incarnation.end;
    const text = `${incarnation.location}: ${message}; ${bytes} bytes of its content were read`;
    this.#environment.context.report({ level: 'error', code, message: text, details: { bytes } });
    if (incarnation.progress !== undefined) this.#output.flush(incarnation.progress);
    incarnation.isCaughtUp = true;
    this.#output.noteDone();
  }

  /** What is read a second time, after it was dropped from memory, says nothing of whether the writer goes on. */
  #noteRead(end: number): void {
    const incarnation = this.#incarnation;
    if (end <= incarnation.readEnd) return;
    incarnation.readEnd = end;
    incarnation.readAt = this.#environment.scheduler.now();
  }

  /** At the end of the file: waits for more, or says that there will be none for now. */
  *#isDone(progress: Progress): Routine<boolean> {
    const incarnation = this.#incarnation;
    const { context, options, scheduler, idle, othersWait } = this.#environment;
    incarnation.reachEnd();
    if (incarnation.isEnded || context.once) {
      const isComplete = progress.splitter.end === progress.splitter.position;
      const { end } = progress.splitter;
      // Whoever writes may still have to finish the line, or has not noticed the rotation yet. A removed file can be
      // read only now.
      if (!context.once && (!isComplete || incarnation.isGone) && this.#quietEnd !== end) {
        const elapsed = timer(options.rotateWaitMs, scheduler).pipe(map(() => 'quiet' as const));
        const signal = yield* wait(race(incarnation.signals, elapsed).pipe(take(1)));
        // It may have grown without a signal, so it is read once more.
        if (signal === 'quiet') this.#quietEnd = end;
        return signal === 'close';
      }
      this.#output.flush(progress);
      incarnation.isCaughtUp = true;
      if (incarnation.isArchive || incarnation.location !== incarnation.notedLocation) this.#output.noteDone();
      return true;
    }
    const isQuiet = this.#flushMs(progress) === 0;
    if (isQuiet) this.#output.flushJoined(progress);
    if (othersWait()) return true;
    const flushMs = this.#flushMs(progress);
    const quiet = flushMs === undefined ? NEVER : timer(flushMs, scheduler).pipe(map(() => 'look' as const));
    idle.add(incarnation);
    try {
      return (yield* wait(race(incarnation.signals, quiet).pipe(take(1)))) === 'close';
    } finally {
      idle.delete(incarnation);
    }
  }

  /** How long it is waited for more lines of an event; undefined if no event is waited for. */
  #flushMs({ splitter }: Progress): number | undefined {
    const { options, scheduler } = this.#environment;
    if (splitter.isJoining !== true || options.multiline === undefined) return undefined;
    return Math.max(0, this.#incarnation.readAt + options.multiline.flushMs - scheduler.now());
  }

  /** The file is not what it should be: the next look finds out, and opens it again. */
  #leave(): void {
    const incarnation = this.#incarnation;
    incarnation.isDirty = false;
    if (incarnation.isGone) {
      // There is no file to be found any more: what was read of it is all there will be.
      if (incarnation.progress !== undefined) this.#output.flush(incarnation.progress);
      incarnation.isCaughtUp = true;
      return;
    }
    incarnation.isAstray = true;
    this.#environment.lookSoon();
  }

  /** Nothing that grows with the number of files stays in memory. */
  #rest(): void {
    const incarnation = this.#incarnation;
    const { progress } = incarnation;
    if (progress === undefined) return;
    incarnation.flushMs = this.#flushMs(progress);
    const held = progress.splitter.heldBytes;
    if (held > MAX_KEPT_LINE_BYTES) incarnation.progress = undefined;
  }
}
