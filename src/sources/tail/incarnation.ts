import { ReplaySubject, Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Json } from '../../model/json.js';
import type { SavedLane } from '../../model/source.js';
import type { Framing } from '../framing.js';
import { archiveFormatOf } from './archive-file.js';
import type { Evidence, EvidenceKeeper } from './evidence.js';

/** `look`: there may be more to read. `close`: end the lane at once; it may be opened again. */
export type LaneSignal = 'look' | 'close';

/** Reading, as far as it has come, while it is in memory. */
export interface Progress {
  readonly splitter: Framing;
  readonly keeper: EvidenceKeeper;
}

/**
 * A file's life under one path, from its creation or truncation to the next. Has a random id, minted when it is first
 * seen; inode and evidence only serve to find it again.
 */
export class Incarnation {
  readonly id: string;
  /** The path it was found at first: `log.file.path`, whatever it is renamed to. */
  readonly path: string;
  /** Where it is now. */
  location: string;
  /** Where it was when the checkpoint heard of it last. */
  notedLocation: string;
  /** Device and inode. */
  fileId: string;
  /** Where reading goes on after the last line that was read. */
  position: number;
  /** No earlier run has read from here on; undefined until it was opened in this one. */
  unreadFrom: number | undefined;
  evidence: Evidence;
  /** Missing until the file was opened, and after a long incomplete line was dropped from memory. */
  progress: Progress | undefined;
  /** The largest size at any look; of what is in an archive, before it was packed. */
  seenSize: number;
  /** The size of its file at the last look, packed or not. Undefined before the first one of this life. */
  fileSize: number | undefined;
  seenMtimeMs = 0;
  /** The same, of the last look after which it still had what was read of it: by then its inode was not reused. */
  provenMtimeMs = 0;
  /** How far it was read when the running look began: what it is told of the size is not younger. */
  endBeforeLook = 0;
  /** Another file has its path: what is left is read, and an incomplete last line is a line. */
  isEnded = false;
  /** Its file was removed: it can be read for as long as it is open. */
  isGone = false;
  /** Its file no longer has what was read of it. */
  isRewritten = false;
  /** All of it was read in the last life, and it is as it was then. */
  isUnchanged = false;
  /** It was not there when it was opened: to be opened again wherever a look finds it. */
  isAstray = false;
  /** It may have grown since it was read last. */
  isDirty = true;
  /** It could not be read, and waits for the next try. */
  isFailing = false;
  failedTries = 0;
  failingSince = 0;
  /** May be read: the path's earlier incarnations have been. */
  isDue = false;
  /** Waits for its turn to be opened, or is open. */
  isBusy = false;
  isOpen = false;
  /** When it was last seen to have grown, on the scheduler's clock. */
  grownAt = 0;
  /** When the last of it was read, on the scheduler's clock. */
  readAt = 0;
  /** How far it was read then. */
  readEnd = 0;
  /** It was closed while it waited for more lines of an event: for so long, then it comes out. */
  flushMs: number | undefined;
  readonly #signals = new Subject<LaneSignal>();
  readonly #caughtUp = new ReplaySubject<never>(1);
  readonly #reachedEnd = new ReplaySubject<never>(1);
  isCaughtUp = false;

  constructor(id: string, path: string, location: string, fileId: string, position: number, evidence: Evidence) {
    this.id = id;
    this.path = path;
    this.location = this.notedLocation = location;
    this.fileId = fileId;
    this.position = this.unreadFrom = position;
    this.evidence = evidence;
    this.seenSize = evidence.end;
  }

  /** What wakes or ends the lane that is open. */
  get signals(): Observable<LaneSignal> {
    return this.#signals.asObservable();
  }

  /** Completes when it has ended and was read to its end; errors when it cannot be read. */
  get caughtUp(): Observable<never> {
    return this.#caughtUp.asObservable();
  }

  /** Completes when it was read to where it ended then, or cannot be read. */
  get reachedEnd(): Observable<never> {
    return this.#reachedEnd.asObservable();
  }

  signal(signal: LaneSignal): void {
    this.#signals.next(signal);
  }

  /** Whoever waits for it goes on: it was read to its end, or cannot be read. */
  letOthersGoOn(error?: Error): void {
    this.reachEnd();
    if (error === undefined) this.#caughtUp.complete();
    else this.#caughtUp.error(error);
  }

  reachEnd(): void {
    this.#reachedEnd.complete();
  }

  /** How far it was read, incomplete line included. */
  get end(): number {
    return this.progress?.splitter.end ?? this.position;
  }

  /** What the checkpoint keeps beside the position. */
  get state(): Json {
    const { end, head, tail } = this.evidence;
    const { path, location: at, fileId: file, seenMtimeMs: mtime } = this;
    const done = this.isArchive && this.isCaughtUp ? { done: true } : {};
    return { path, at, file, mtime, end, head, tail, ...done };
  }

  /** Whether its file was compressed. Then it is as long as it will ever be, and how long shows when it was read. */
  get isArchive(): boolean {
    return archiveFormatOf(this.location) !== undefined;
  }

  /** What is known to be unread, in bytes. */
  get unread(): number {
    const known = Math.max(0, this.seenSize - this.position);
    if (!this.isArchive) return known;
    return this.isCaughtUp ? 0 : Math.max(1, known);
  }

  /** As the checkpoint has it; undefined if that is not a tail source's. */
  static saved(id: string, { position, state }: SavedLane): Incarnation | undefined {
    if (typeof state !== 'object' || state === null || Array.isArray(state)) return undefined;
    const { path, at, file, mtime, end, head, tail, done } = state as { readonly [key: string]: Json };
    if (typeof path !== 'string' || typeof at !== 'string' || typeof file !== 'string') return undefined;
    if (typeof end !== 'number' || typeof head !== 'string' || typeof tail !== 'string') return undefined;
    const incarnation = new Incarnation(id, path, at, file, position, { end, head, tail });
    incarnation.isCaughtUp = done === true;
    incarnation.unreadFrom = undefined;
    if (typeof mtime === 'number') incarnation.seenMtimeMs = incarnation.provenMtimeMs = mtime;
    return incarnation;
  }
}
