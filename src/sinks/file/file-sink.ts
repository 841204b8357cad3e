import {
  catchError,
  concat,
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  map,
  merge,
  Observable,
  of,
  Subject,
  switchMap,
  tap,
} from 'rxjs';
import type { Subscriber } from 'rxjs';
import type { Files } from '../../model/files.js';
import type { Notice } from '../../model/notice.js';
import type { Delivery, Receipt, Sink, SinkCapture, SinkResource } from '../../model/sink.js';
import { workWhile } from '../../operators/work-while.js';
import { readState, TAIL_BYTES, writeState } from './file-state.js';
import { openOutput } from './open-output.js';
import type { Output } from './open-output.js';

/** How the items of a file become lines. */
export interface LineCodec<T> {
  /** Made once per sink. */
  encoder(): (item: T) => string;
  /** Where the item's record begins in its lane. */
  offsetOf(item: T): number;
}

interface Request<T> {
  readonly delivery: Delivery<T>;
  readonly subscriber: Subscriber<Receipt<T>>;
}

const LINE_END = 10;
const MIN_BUFFER_BYTES = 64 * 1024;

/**
 * A file of lines, each item exactly once. Its length and the lanes' positions in it are part of the checkpoint: what
 * lies beyond that length after a crash was never acknowledged and is cut off at the next start, and items below a
 * lane's position are duplicates. Content that was there before the first start stays. A file that was renamed,
 * removed or cut by somebody else is opened anew at the next checkpoint.
 *
 * Lanes are written in the order their deliveries arrive; what arrives during a write is the next write.
 */
export function fileSink<T>(path: string, codec: LineCodec<T>, files: Files): SinkResource<T> {
  return {
    name: `file ${path}`,
    open: ({ saved, report }) => {
      const state = readState(saved);
      const use = (output: Output): Observable<Sink<T>> => {
        const sink = new FileSink(path, codec, files, output, new Map(state?.lanes), report);
        return merge(sink.work.pipe(ignoreElements()), of(sink)).pipe(finalize(() => sink.close()));
      };
      return openOutput(path, files, state).pipe(switchMap(use));
    },
  };
}

class FileSink<T> implements Sink<T> {
  readonly #path: string;
  readonly #files: Files;
  readonly #encode: (item: T) => string;
  readonly #offsetOf: (item: T) => number;
  readonly #report: (notice: Notice) => void;
  readonly #lanes: Map<string, number>;
  readonly #arrivals = new Subject<void>();
  #queue: Request<T>[] = [];
  #buffer = Buffer.alloc(0);
  #output: Output;
  #isMoved = false;
  #isSynced = false;

  constructor(
    path: string,
    codec: LineCodec<T>,
    files: Files,
    output: Output,
    lanes: Map<string, number>,
    report: (notice: Notice) => void,
  ) {
    this.#path = path;
    this.#files = files;
    this.#encode = codec.encoder();
    this.#offsetOf = (item) => codec.offsetOf(item);
    this.#output = output;
    this.#lanes = lanes;
    this.#report = report;
  }

  /** Writes while it is subscribed. */
  get work(): Observable<unknown> {
    return this.#arrivals.pipe(
      workWhile(
        () => this.#queue.length > 0,
        defer(() => this.#writeQueue()),
      ),
    );
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
    for (const [lane, position] of this.#lanes) {
      // Nothing below a lane's own position is ever read again, so nobody has to be told apart there; and nothing at
      // all of a lane that was forgotten.
      if (position <= (settled.get(lane) ?? Infinity)) this.#lanes.delete(lane);
    }
    const { id, length, tail, file } = this.#output;
    const state = writeState({ id, length, tail: Buffer.from(tail).toString('base64'), lanes: this.#lanes });
    if (this.#isSynced) return { state, sync: this.#look() };
    this.#isSynced = true;
    const sync = file.sync().pipe(ignoreElements(), tap({ error: () => (this.#isSynced = false) }));
    return { state, sync: concat(sync, this.#look()) };
  }

  close(): void {
    // Everything acknowledged was synced with the last checkpoint; there is nobody left to tell of an error.
    this.#output.file.close().subscribe({ error: () => undefined });
  }

  /** Notices when the path leads to another file, or the file was cut: the next write opens it anew. */
  #look(): Observable<never> {
    return defer(() => this.#files.stat(this.#path)).pipe(
      tap((stat) => {
        const { id, length } = this.#output;
        this.#isMoved = stat?.id !== id || stat.size < length;
      }),
      ignoreElements(),
    );
  }

  #writeQueue(): Observable<unknown> {
    return this.#isMoved
      ? concat(
          this.#reopen(),
          defer(() => this.#writeGroup()),
        )
      : this.#writeGroup();
  }

  #reopen(): Observable<never> {
    return openOutput(this.#path, this.#files, undefined).pipe(
      tap((output) => {
        this.#report({ level: 'warn', message: `${this.#path} was moved or cut by another program; opened anew` });
        this.close();
        this.#output = output;
        this.#isMoved = false;
        this.#isSynced = false;
      }),
      ignoreElements(),
      catchError((error: unknown) => this.#fail(this.#queue.splice(0), error)),
    );
  }

  #writeGroup(): Observable<unknown> {
    const group = this.#queue;
    this.#queue = [];
    if (group.length === 0) return EMPTY;
    const { file, length, tail } = this.#output;
    // A last line that somebody left without its end must not be glued to ours.
    let text = length > 0 && tail.at(-1) !== LINE_END ? '\n' : '';
    const receipts = group.map(({ delivery }): Receipt<T> => {
      const from = this.#lanes.get(delivery.lane) ?? -1;
      let delivered = 0;
      for (const item of delivery.items) {
        if (this.#offsetOf(item) < from) continue;
        text += this.#encode(item) + '\n';
        delivered++;
      }
      return { delivered, duplicates: delivery.items.length - delivered, refused: [] };
    });
    const bytes = this.#encoded(text);
    const write = bytes.length === 0 ? of(undefined) : file.write(bytes, length);
    return write.pipe(
      map(() => {
        this.#written(group, bytes);
        group.forEach(({ subscriber }, at) => {
          const receipt = receipts[at];
          if (receipt !== undefined) subscriber.next(receipt);
          subscriber.complete();
        });
      }),
      catchError((error: unknown) => this.#fail(group, error)),
    );
  }

  /** The text in the sink's own buffer: there is one write at a time, so it can be used again for the next. */
  #encoded(text: string): Uint8Array {
    // No UTF-16 unit takes more than three bytes; logs are mostly ASCII, so the exact length comes before that much room.
    if (text.length * 3 > this.#buffer.length) {
      const length = Buffer.byteLength(text);
      if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(Math.max(length, MIN_BUFFER_BYTES));
    }
    return this.#buffer.subarray(0, this.#buffer.write(text));
  }

  /** Before anybody hears of it: what a checkpoint takes now has to hold what the receipts say. */
  #written(group: readonly Request<T>[], bytes: Uint8Array): void {
    for (const { delivery } of group) {
      this.#lanes.set(delivery.lane, Math.max(delivery.position, this.#lanes.get(delivery.lane) ?? -1));
    }
    if (bytes.length === 0) return;
    const { length, tail } = this.#output;
    const end =
      bytes.length >= TAIL_BYTES ? bytes.subarray(-TAIL_BYTES) : Buffer.concat([tail, bytes]).subarray(-TAIL_BYTES);
    this.#output = { ...this.#output, length: length + bytes.length, tail: Uint8Array.from(end) };
    this.#isSynced = false;
  }

  /** The legs try again; a torn write is overwritten by the next one, at the same place. */
  #fail(group: readonly Request<T>[], error: unknown): Observable<never> {
    for (const { subscriber } of group) subscriber.error(error);
    return EMPTY;
  }
}
