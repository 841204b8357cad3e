import { defer, ignoreElements, merge, NEVER, Observable, Subject, timer } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { MillraceError, messageOf } from '../../model/errors.js';
import type { Files } from '../../model/files.js';
import type { Notice } from '../../model/notice.js';
import { retryBackoff } from '../../operators/retry-backoff.js';
import { steps, wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import { workWhile } from '../../operators/work-while.js';
import { compress } from './compress.js';
import type { GzipBlock } from './gzip.js';
import type { RotateOptions } from './options.js';
import { begunPath, compressedPath, rotatedFiles, rotatedPath } from './rotated-files.js';
import type { RotatedFile } from './rotated-files.js';

const DAY_MS = 86_400_000;
/** How often a quiet sink looks for files that have grown too old. */
const AGE_CHECK_MS = 600_000;

export interface HousekeepingConfig {
  readonly path: string;
  readonly files: Files;
  readonly options: RotateOptions;
  /** Compresses rotated files when given. */
  readonly gzip: GzipBlock | undefined;
  /** The rotated files that are the sink's and that no start will touch: after `base`, up to `number`. */
  readonly range: () => { readonly base: number; readonly number: number };
  readonly report: (notice: Notice) => void;
  readonly scheduler: SchedulerLike;
}

/**
 * What becomes of rotated files: removed when there are too many or when they are too old, else compressed; what a crash
 * left behind is removed. One thing at a time, beside the writing. What fails is reported and tried again, with back-off.
 */
export class Housekeeping {
  readonly #config: HousekeepingConfig;
  readonly #calls = new Subject<void>();
  #waiting: (() => void)[] = [];
  #isAsked = false;
  #isFailing = false;

  constructor(config: HousekeepingConfig) {
    this.#config = config;
  }

  /** Works while it is subscribed. Never emits. */
  get work(): Observable<never> {
    const { options, scheduler } = this.#config;
    const ages = options.maxAgeDays === undefined ? NEVER : timer(0, AGE_CHECK_MS, scheduler);
    const tidying = defer(() => {
      this.#isAsked = false;
      return steps<never>(() => this.#tidy());
    }).pipe(
      retryBackoff(
        { initialMs: 1000, maxMs: 60_000, jitter: 0, onRetry: ({ error }) => this.#failed(error) },
        scheduler,
      ),
    );
    return merge(this.#calls, ages).pipe(
      workWhile(() => this.#isAsked, tidying),
      ignoreElements(),
    );
  }

  /** There may be something to do. */
  call(): void {
    this.#isAsked = true;
    this.#calls.next();
  }

  /** Completes when nothing is left to do now, or it cannot be done. */
  get done(): Observable<never> {
    return new Observable((subscriber) => {
      if (this.#isFailing) {
        subscriber.complete();
        return undefined;
      }
      const done = (): void => subscriber.complete();
      this.#waiting.push(done);
      this.call();
      return () => (this.#waiting = this.#waiting.filter((other) => other !== done));
    });
  }

  #failed(error: unknown): void {
    const code = error instanceof MillraceError ? { code: error.code } : {};
    const message = `tidying up after ${this.#config.path}: ${messageOf(error)}; trying again`;
    this.#config.report({ level: 'warn', message, ...code });
    this.#isFailing = true;
    this.#answer();
  }

  #answer(): void {
    for (const done of [...this.#waiting]) done();
  }

  *#tidy(): Routine {
    const { path, files, gzip } = this.#config;
    yield* this.#clear(yield* this.#owned());
    // Looked at anew for each: a long compression is no reason to keep what has become too old.
    for (;;) {
      const kept = yield* this.#retain(yield* this.#owned());
      const next = gzip === undefined ? undefined : kept.find(({ isCompressed }) => !isCompressed);
      if (gzip === undefined || next === undefined) break;
      yield* wait(compress(path, next.number, files, gzip));
    }
    this.#isFailing = false;
    if (!this.#isAsked) this.#answer();
  }

  *#owned(): Routine<readonly RotatedFile[]> {
    const { path, files, range } = this.#config;
    const { base, number } = range();
    const all = yield* wait(rotatedFiles(path, files));
    return all.filter((file) => file.number > base && file.number <= number);
  }

  /** A crash may leave a compressed file that is not complete, or one that is complete beside its original. */
  *#clear(owned: readonly RotatedFile[]): Routine {
    const { path, files } = this.#config;
    for (const { number, isPlain, isCompressed, isBegun } of owned) {
      if (isBegun) yield* wait(files.remove(begunPath(path, number)));
      if (isPlain && isCompressed) yield* wait(files.remove(rotatedPath(path, number)));
    }
  }

  *#retain(owned: readonly RotatedFile[]): Routine<readonly RotatedFile[]> {
    const { keep = Infinity } = this.#config.options;
    const there = owned.filter(({ isPlain, isCompressed }) => isPlain || isCompressed);
    const kept: RotatedFile[] = [];
    for (const [at, file] of there.entries()) {
      if (there.length - at > keep || (yield* this.#isTooOld(file))) yield* this.#remove(file);
      else kept.push(file);
    }
    return kept;
  }

  *#isTooOld({ number, isCompressed }: RotatedFile): Routine<boolean> {
    const { path, files, options, scheduler } = this.#config;
    if (options.maxAgeDays === undefined) return false;
    const name = isCompressed ? compressedPath(path, number) : rotatedPath(path, number);
    const stat = yield* wait(files.stat(name));
    return stat !== undefined && scheduler.now() - stat.mtimeMs > options.maxAgeDays * DAY_MS;
  }

  *#remove({ number, isPlain, isCompressed }: RotatedFile): Routine {
    const { path, files } = this.#config;
    if (isPlain) yield* wait(files.remove(rotatedPath(path, number)));
    if (isCompressed) yield* wait(files.remove(compressedPath(path, number)));
  }
}
