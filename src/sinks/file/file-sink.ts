import { asyncScheduler, concat, defer, EMPTY, finalize, ignoreElements, map, merge, Observable, of } from 'rxjs';
import { Subject, switchMap, tap, timer } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { Files } from '../../model/files.js';
import type { Delivery, Receipt, Sink, SinkCapture, SinkContext, SinkResource } from '../../model/sink.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { workWhile } from '../../operators/work-while.js';
import { closeQuietly } from './careful-file.js';
import { readState, TAIL_BYTES, writeState } from './file-state.js';
import type { FileState } from './file-state.js';
import type { GzipBlock } from './gzip.js';
import { Housekeeping } from './housekeeping.js';
import { LineBuffer } from './line-buffer.js';
import { openOutput } from './open-output.js';
import type { Output } from './open-output.js';
import type { RotateOptions } from './options.js';
import { rotatedFiles } from './rotated-files.js';
import { Rotation } from './rotation.js';
import { WriteGroup } from './write-group.js';
import type { Lanes, LineCodec, Request } from './write-group.js';

const LINE_END = 10;
const NOTHING = new Uint8Array(0);

/** Where a file sink writes. */
export interface FileSinkConfig {
  readonly path: string;
  readonly files: Files;
  /** When a new file is begun; never when not given. */
  readonly rotate?: RotateOptions | undefined;
  /** Compresses rotated files when given. */
  readonly gzip?: GzipBlock | undefined;
}

/**
 * A file of lines, each item exactly once. Its length and the lanes' positions in it are part of the checkpoint: what
 * lies beyond that length after a crash was never acknowledged and is cut off at the next start, and items below a
 * lane's position are duplicates. Content that was there before the first start stays. A file that was renamed,
 * removed or cut by somebody else is opened anew at the next checkpoint.
 *
 * With `rotate`, the file is renamed to path.1, path.2 … and begun anew; see `Rotation` and `Housekeeping`. All files
 * together have each item once.
 *
 * Lanes are written in the order their deliveries arrive; what arrives during a write is the next write.
 */
export function fileSink<T>(
  config: FileSinkConfig,
  codec: LineCodec<T>,
  scheduler: SchedulerLike = asyncScheduler,
): SinkResource<T> {
  const { path, files } = config;
  return {
    name: `file ${path}`,
    isExclusive: true,
    open: (context) => {
      const state = readState(context.saved);
      const use = (output: Output, base: number): Observable<Sink<T>> => {
        const sink = new FileSink(config, codec, context, { output, state, base }, scheduler);
        return merge(sink.work.pipe(ignoreElements()), of(sink)).pipe(finalize(() => sink.close()));
      };
      return openOutput(path, files, state).pipe(
        switchMap((output) => lastNumber(config, state).pipe(switchMap((base) => use(output, base)))),
      );
    },
  };
}

/** The highest number that is taken: at the first start, rotated files may be there that are not the sink's. */
function lastNumber({ path, files, rotate }: FileSinkConfig, state: FileState | undefined): Observable<number> {
  if (rotate === undefined || state?.rotation !== undefined) return of(0);
  return rotatedFiles(path, files).pipe(map((found) => found.at(-1)?.number ?? 0));
}

interface Start {
  readonly output: Output;
  readonly state: FileState | undefined;
  readonly base: number;
}

class FileSink<T> implements Sink<T> {
  readonly #config: FileSinkConfig;
  readonly #context: SinkContext;
  readonly #scheduler: SchedulerLike;
  readonly #lanes: Lanes<T>;
  readonly #rotation: Rotation | undefined;
  readonly #housekeeping: Housekeeping | undefined;
  readonly #arrivals = new Subject<void>();
  /** Work has ended: when is it to begin by itself? */
  readonly #rests = new Subject<void>();
  /** A rotated file is tidied up, and the next one may follow, when a checkpoint knows of it: the sooner the better. */
  readonly #rotations = new Subject<void>();
  #queue: Request<T>[] = [];
  readonly #lines = new LineBuffer();
  #output: Output;
  #isMoved = false;
  #isSynced = false;

  constructor(
    config: FileSinkConfig,
    codec: LineCodec<T>,
    context: SinkContext,
    { output, state, base }: Start,
    scheduler: SchedulerLike,
  ) {
    const { path, files, rotate, gzip } = config;
    this.#config = config;
    this.#context = context;
    this.#scheduler = scheduler;
    this.#output = output;
    this.#lanes = {
      positions: new Map(state?.lanes),
      writtenBefore: new WeakMap(),
      encode: codec.encoder(),
      offsetOf: (item) => codec.offsetOf(item),
    };
    if (rotate === undefined) return;
    const begin = state?.rotation ?? { number: base, base, begunAt: 0 };
    const rotation = new Rotation({ path, files, save: context.save, scheduler }, rotate, begin, output);
    const range = (): { base: number; number: number } => ({ base: rotation.base, number: rotation.savedNumber });
    this.#rotation = rotation;
    this.#housekeeping = new Housekeeping({
      path,
      files,
      options: rotate,
      gzip,
      range,
      report: context.report,
      scheduler,
    });
  }

  /** Writes while it is subscribed. */
  get work(): Observable<unknown> {
    const writing = this.#arrivals.pipe(
      workWhile(
        () => this.#queue.length > 0,
        defer(() => steps<never>(() => this.#writeQueue())),
      ),
    );
    const [rotation, housekeeping] = [this.#rotation, this.#housekeeping];
    if (rotation === undefined || housekeeping === undefined) return writing;
    const due = this.#rests.pipe(
      switchMap(() => {
        const ms = rotation.msUntilDue;
        return ms === Infinity ? EMPTY : timer(Math.max(1, ms), this.#scheduler);
      }),
      tap(() => this.#arrivals.next()),
    );
    const begin = defer(() => {
      this.#rests.next();
      housekeeping.call();
      return EMPTY;
    });
    const saving = this.#rotations.pipe(switchMap(() => this.#context.save));
    return merge(writing, due, saving, housekeeping.work, begin);
  }

  deliver(delivery: Delivery<T>): Observable<Receipt<T>> {
    return new Observable((subscriber) => {
      const request = { delivery, subscriber };
      this.#queue.push(request);
      this.#arrivals.next();
      return () => (this.#queue = this.#queue.filter((other) => other !== request));
    });
  }

  capture(settled: ReadonlyMap<string, number>): SinkCapture {
    const { positions } = this.#lanes;
    for (const [lane, position] of positions) {
      // Nothing below a lane's own position is ever read again, so nobody has to be told apart there; and nothing at
      // all of a lane that was forgotten.
      if (position <= (settled.get(lane) ?? Infinity)) positions.delete(lane);
    }
    const { id, length, tail, file } = this.#output;
    const base = { id, length, tail: Buffer.from(tail).toString('base64'), lanes: positions };
    const rotation = this.#rotation?.state;
    const state = writeState(rotation === undefined ? base : { ...base, rotation });
    const saved = (): void => {
      if (rotation === undefined) return;
      const before = this.#rotation?.savedNumber;
      this.#rotation?.saved(id, rotation);
      if (before !== rotation.number) this.#housekeeping?.call();
    };
    if (this.#isSynced) return { state, sync: this.#look(), saved };
    this.#isSynced = true;
    const sync = file.sync().pipe(ignoreElements(), tap({ error: () => (this.#isSynced = false) }));
    return { state, sync: concat(sync, this.#look()), saved };
  }

  finish(): Observable<never> {
    return this.#housekeeping?.done ?? EMPTY;
  }

  close(): void {
    // Everything acknowledged was synced with the last checkpoint.
    closeQuietly(this.#output.file);
  }

  /** Notices when the path leads to another file, or the file was cut: the next write opens it anew. */
  #look(): Observable<never> {
    return defer(() => {
      const { id } = this.#output;
      return this.#config.files.stat(this.#config.path).pipe(
        tap((stat) => {
          // It was rotated meanwhile.
          if (this.#rotation?.isMidway === true || this.#output.id !== id) return;
          this.#isMoved = stat?.id !== id || stat.size < this.#output.length;
        }),
        ignoreElements(),
      );
    });
  }

  *#writeQueue(): Routine {
    const group = new WriteGroup(this.#queue.splice(0), this.#lanes);
    try {
      while (!group.isDone || this.#rotation?.isPeriodOver === true) yield* this.#writePiece(group);
      this.#written(group, NOTHING);
    } catch (error) {
      group.fail(error);
    } finally {
      this.#rests.next();
    }
  }

  /** Writes what fits into the file, or begins a new one when nothing does. */
  *#writePiece(group: WriteGroup<T>): Routine {
    if (this.#isMoved) yield* this.#reopen();
    const rotation = this.#rotation;
    const { file, length, tail } = this.#output;
    const isOver = length > 0 && rotation?.isPeriodOver === true;
    const lines = this.#lines;
    lines.clear();
    // A last line that somebody left without its end must not be glued to ours.
    if (length > 0 && tail.at(-1) !== LINE_END) lines.add('\n');
    const isHeldBack = isOver || rotation?.isMidway === true;
    if (isHeldBack || !group.take(lines, rotation?.room(length) ?? Infinity, length === 0)) {
      if (rotation !== undefined && (isOver || !group.isDone)) yield* this.#rotate(rotation);
      return;
    }
    const { bytes } = lines;
    yield* wait(file.write(bytes, length));
    this.#written(group, bytes);
  }

  /** What cannot be rotated grows on; only a file that is renamed already has to have its successor. */
  *#rotate(rotation: Rotation): Routine {
    try {
      const next = yield* rotation.rotate(this.#output);
      if (next === undefined) this.#isMoved = true;
      else {
        this.#use(next);
        this.#rotations.next();
      }
    } catch (error) {
      if (rotation.isMidway) throw error;
      const code = error instanceof MillraceError ? { code: error.code } : {};
      const message = `rotating ${this.#config.path}: ${messageOf(error)}; trying again`;
      this.#context.report({ level: 'warn', message, ...code });
    }
  }

  *#reopen(): Routine {
    const { path, files } = this.#config;
    const output = yield* wait(openOutput(path, files, undefined));
    this.#context.report({ level: 'warn', message: `${path} was moved or cut by another program; opened anew` });
    this.#use(output);
    this.#rotation?.begun(output);
    this.#isMoved = false;
  }

  #use(output: Output): void {
    closeQuietly(this.#output.file);
    this.#output = output;
    this.#isSynced = false;
  }

  /** Before anybody hears of it: what a checkpoint takes now has to hold what the receipts say. */
  #written(group: WriteGroup<T>, bytes: Uint8Array): void {
    group.written();
    const count = bytes.length;
    if (count > 0) {
      const { length, tail } = this.#output;
      const end =
        count >= TAIL_BYTES ? bytes.subarray(-TAIL_BYTES) : Buffer.concat([tail, bytes]).subarray(-TAIL_BYTES);
      this.#output = { ...this.#output, length: length + count, tail: Uint8Array.from(end) };
      this.#isSynced = false;
      this.#rotation?.wrote();
    }
    group.answer();
  }
}
