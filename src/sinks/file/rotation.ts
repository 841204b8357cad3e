import type { Observable, SchedulerLike } from 'rxjs';
import { MillraceError } from '../../model/errors.js';
import type { Files } from '../../model/files.js';
import { backoffMs } from '../../operators/backoff.js';
import { wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import type { RotationState } from './file-state.js';
import { openOutput } from './open-output.js';
import type { Output } from './open-output.js';
import type { RotateOptions } from './options.js';
import { compressedPath, rotatedPath } from './rotated-files.js';

const PERIOD_MS = { hour: 3_600_000, day: 86_400_000 } as const;

const RETRY = { initialMs: 1000, maxMs: 60_000, jitter: 0 } as const;

/** What a rotation works on. */
export interface RotationPlace {
  readonly path: string;
  readonly files: Files;
  /** Completes when a checkpoint is durable. */
  readonly save: Observable<never>;
  readonly scheduler: SchedulerLike;
}

/**
 * When a file is set aside for a new one, and how: `path` becomes `path.number`, and `path` is begun anew. The last
 * checkpoint always knows the file that is renamed, so that at a start there is at most one rotation to undo and nothing
 * to guess. A rotation that fails is tried again, with back-off; until then the file grows.
 */
export class Rotation {
  readonly #place: RotationPlace;
  readonly #options: RotateOptions;
  readonly #base: number;
  #number: number;
  #begunAt: number;
  /** The file that the last durable checkpoint knows. */
  #savedId: string | undefined;
  #savedNumber: number;
  #isRenamed = false;
  #failures = 0;
  #tryAt = -Infinity;

  constructor(place: RotationPlace, options: RotateOptions, state: RotationState, output: Output) {
    this.#place = place;
    this.#options = options;
    this.#base = state.base;
    this.#number = state.number;
    this.#savedNumber = state.number;
    this.#savedId = output.isKnown ? output.id : undefined;
    this.#begunAt = state.begunAt;
    if (!output.isKnown) this.begun(output);
  }

  get state(): RotationState {
    return { number: this.#number, base: this.#base, begunAt: this.#begunAt };
  }

  /** The last rotated file that a durable checkpoint knows: it will never be touched by a start. */
  get savedNumber(): number {
    return this.#savedNumber;
  }

  get base(): number {
    return this.#base;
  }

  /** The file was renamed and there is no new one yet: nothing can be written. */
  get isMidway(): boolean {
    return this.#isRenamed;
  }

  /** A checkpoint with this file is durable. */
  saved(id: string, { number }: RotationState): void {
    this.#savedId = id;
    this.#savedNumber = number;
  }

  /** Another file is at the path. */
  begun({ length, mtimeMs }: Output): void {
    this.#begunAt = length > 0 ? mtimeMs : 0;
  }

  /** Lines are written now. */
  wrote(): void {
    if (this.#begunAt === 0) this.#begunAt = this.#place.scheduler.now();
  }

  /** How many more bytes the file takes. */
  room(length: number): number {
    const { maxBytes = Infinity } = this.#options;
    return this.#isHeldBack ? Infinity : maxBytes - length;
  }

  /** The hour or day of the file is over. */
  get isPeriodOver(): boolean {
    return this.msUntilDue <= 0;
  }

  /** How long until a rotation is due that no line brings about; Infinity if none is. */
  get msUntilDue(): number {
    const { every } = this.#options;
    if (every === undefined || this.#begunAt === 0) return Infinity;
    const periodMs = PERIOD_MS[every];
    const dueAt = (Math.floor(this.#begunAt / periodMs) + 1) * periodMs;
    return Math.max(dueAt, this.#tryAt) - this.#place.scheduler.now();
  }

  get #isHeldBack(): boolean {
    return this.#place.scheduler.now() < this.#tryAt;
  }

  /** Sets the file aside and gives the new one; gives nothing when another file is at the path by now. */
  *rotate(output: Output): Routine<Output | undefined> {
    try {
      if (!this.#isRenamed && !(yield* this.#rename(output))) return undefined;
      const next = yield* wait(openOutput(this.#place.path, this.#place.files, undefined));
      this.#isRenamed = false;
      this.#number++;
      this.#failures = 0;
      this.begun(next);
      return next;
    } catch (error) {
      this.#failures++;
      this.#tryAt = this.#place.scheduler.now() + backoffMs(RETRY, this.#failures);
      throw error;
    }
  }

  *#rename(output: Output): Routine<boolean> {
    const { path, files, save } = this.#place;
    if (this.#savedId !== output.id || this.#savedNumber !== this.#number) yield* wait(save);
    const target = rotatedPath(path, this.#number + 1);
    for (const name of [target, compressedPath(path, this.#number + 1)]) {
      if ((yield* wait(files.stat(name))) !== undefined) throw new MillraceError('MILLRACE_E_FILE_EXISTS', name);
    }
    if ((yield* wait(files.stat(path)))?.id !== output.id) return false;
    yield* wait(output.file.sync());
    yield* wait(files.rename(path, target));
    this.#isRenamed = true;
    return true;
  }
}
