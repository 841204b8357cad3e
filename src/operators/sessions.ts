import { MillraceError } from '../model/errors.js';
import { Earliest } from './earliest.js';
import { nothing } from './machine.js';
import type { Machine } from './machine.js';
import { onlyKey } from './panes.js';
import type { Key, WindowResult } from './panes.js';
import type { Reducer } from './reducers.js';
import type { Aside, AsideReason, InTime, Watermarked } from './watermarked.js';

/** The value of one session. Its `endMs` is `gapMs` after its last element. */
export interface SessionResult<K, R> extends WindowResult<K, R> {
  /** `startMs` of sessions that came out before and are part of this one now. */
  readonly replaces: readonly number[];
}

export interface SessionsConfig<T, A, R, K extends Key> {
  readonly gapMs: number;
  readonly reducer: Reducer<T, A, R>;
  readonly keyOf?: ((element: T) => K) | undefined;
  readonly allowedLatenessMs?: number | undefined;
  readonly maxSessions?: number | undefined;
  readonly onAside?: ((aside: Aside<T>) => void) | undefined;
}

/** One session as it can be saved. */
export interface SessionState<A> {
  readonly startMs: number;
  readonly lastMs: number;
  readonly accumulator: A;
  /** -1 until it comes out. */
  readonly revision: number;
  readonly isOut: boolean;
  readonly replaces: readonly number[];
}

/** The open sessions as they can be saved. */
export interface SessionsState<A, K> {
  readonly version: 1;
  readonly gapMs: number;
  readonly watermarkMs: number | null;
  readonly sessions: readonly (readonly [key: K, sessions: readonly SessionState<A>[]])[];
}

interface Session<A, K> {
  readonly key: K;
  startMs: number;
  lastMs: number;
  accumulator: A;
  revision: number;
  replaces: readonly number[];
  /** Everything in it came out. */
  isOut: boolean;
  /** It has become part of another one, or nothing may change it any more. */
  isGone: boolean;
}

/** Of those that end together the earlier start comes first, then the key: not who was heard first. */
function byEnd<A, K>(one: Session<A, K>, other: Session<A, K>): number {
  const time = one.lastMs - other.lastMs || one.startMs - other.startMs;
  return time || (String(one.key) < String(other.key) ? -1 : 1);
}

/**
 * Keyed windows that end with a silence of `gapMs`, and grow together when an element comes between them.
 * Source: Akidau et al., The Dataflow Model, VLDB 2015, section 2.2.
 */
export class SessionsMachine<T, A, R, K extends Key> implements Machine<Watermarked<T>, SessionResult<K, R>> {
  readonly #reducer: Reducer<T, A, R>;
  readonly #keyOf: (element: T) => K;
  readonly #onAside: ((aside: Aside<T>) => void) | undefined;
  readonly #gapMs: number;
  readonly #latenessMs: number;
  readonly #maxSessions: number;
  /** Of a key, by their start. */
  readonly #sessions = new Map<K, Session<A, K>[]>();
  /** Each session at least once. When it is taken out its end may have moved. */
  readonly #queue = new Earliest<Session<A, K>>();
  #count = 0;
  #watermarkMs = -Infinity;

  constructor(config: SessionsConfig<T, A, R, K>, saved?: SessionsState<A, K>) {
    const { gapMs, maxSessions = 100_000, allowedLatenessMs = 0 } = config;
    if (!(gapMs > 0)) throw new MillraceError('MILLRACE_E_CONFIG_INVALID', `a gap of ${gapMs} ms ends no session`);
    this.#gapMs = gapMs;
    this.#reducer = config.reducer;
    this.#keyOf = config.keyOf ?? (onlyKey as () => K);
    this.#onAside = config.onAside;
    this.#latenessMs = allowedLatenessMs;
    this.#maxSessions = maxSessions;
    if (saved !== undefined) this.#restore(saved);
  }

  next(item: Watermarked<T>): readonly SessionResult<K, R>[] {
    const updates = item.kind === 'element' ? this.#add(item) : nothing;
    if (item.watermarkMs <= this.#watermarkMs) return updates;
    const ended = this.#advance(item.watermarkMs);
    return updates.length === 0 ? ended : [...updates, ...ended];
  }

  complete(): readonly SessionResult<K, R>[] {
    return this.#advance(Infinity);
  }

  capture(): SessionsState<A, K> {
    const saved = ({ startMs, lastMs, accumulator, revision, isOut, replaces }: Session<A, K>): SessionState<A> => {
      return { startMs, lastMs, accumulator, revision, isOut, replaces };
    };
    return {
      version: 1,
      gapMs: this.#gapMs,
      watermarkMs: Number.isFinite(this.#watermarkMs) ? this.#watermarkMs : null,
      sessions: [...this.#sessions].map(([key, sessions]) => [key, sessions.map(saved)]),
    };
  }

  #restore({ gapMs, watermarkMs, sessions }: SessionsState<A, K>): void {
    if (gapMs !== this.#gapMs) {
      throw new MillraceError('MILLRACE_E_STATE_UNFIT', `a gap of ${gapMs} ms is not one of ${this.#gapMs}`);
    }
    this.#watermarkMs = watermarkMs ?? -Infinity;
    for (const [key, saved] of sessions) {
      for (const one of saved) this.#keep({ ...one, key, isGone: false });
    }
  }

  #add(element: InTime<T>): readonly SessionResult<K, R>[] {
    const { value, timeMs, laneWatermarkMs } = element;
    if (timeMs + this.#latenessMs < laneWatermarkMs) return this.#putAside('late', element);
    if (timeMs + this.#latenessMs < this.#watermarkMs) return this.#putAside('closed', element);
    const key = this.#keyOf(value);
    const near = (this.#sessions.get(key) ?? []).filter(
      ({ startMs, lastMs }) => timeMs - lastMs < this.#gapMs && startMs - timeMs < this.#gapMs,
    );
    const [first] = near;
    if (first === undefined && this.#count >= this.#maxSessions) return this.#putAside('full', element);
    const session = first === undefined ? this.#begin(key, timeMs) : this.#joined(first, near.slice(1));
    session.accumulator = this.#reducer.add(session.accumulator, value);
    this.#stretch(session, timeMs);
    // Allowed though it is late, and past its end: the change comes out at once.
    if (this.#endMs(session) <= this.#watermarkMs) return [this.#result(session)];
    if (session.isOut) this.#reopen(session);
    return nothing;
  }

  #putAside(reason: AsideReason, { value, timeMs, lane }: InTime<T>): readonly never[] {
    this.#onAside?.({ reason, value, timeMs, lane });
    return nothing;
  }

  #begin(key: K, timeMs: number): Session<A, K> {
    const accumulator = this.#reducer.create();
    const times = { startMs: timeMs, lastMs: timeMs };
    const session = { key, ...times, accumulator, revision: -1, replaces: [], isOut: false, isGone: false };
    this.#keep(session);
    return session;
  }

  #keep(session: Session<A, K>): void {
    const sessions = this.#sessions.get(session.key);
    if (sessions === undefined) this.#sessions.set(session.key, [session]);
    else {
      sessions.push(session);
      sessions.sort((one, other) => one.startMs - other.startMs);
    }
    this.#count++;
    this.#queue.add(this.#dueMs(session), session);
  }

  /** An element has come between them. */
  #joined(first: Session<A, K>, others: readonly Session<A, K>[]): Session<A, K> {
    for (const other of others) {
      first.accumulator = this.#reducer.merge(first.accumulator, other.accumulator);
      first.lastMs = Math.max(first.lastMs, other.lastMs);
      const gone = other.revision >= 0 ? [other.startMs] : [];
      first.replaces = [...first.replaces, ...other.replaces, ...gone];
      first.revision = Math.max(first.revision, other.revision);
      this.#drop(other);
    }
    return first;
  }

  #stretch(session: Session<A, K>, timeMs: number): void {
    if (timeMs > session.lastMs) session.lastMs = timeMs;
    if (timeMs >= session.startMs) return;
    if (session.revision >= 0) session.replaces = [...session.replaces, session.startMs];
    session.startMs = timeMs;
  }

  /** It came out, and goes on: it will come out again. */
  #reopen(session: Session<A, K>): void {
    session.isOut = false;
    this.#queue.add(this.#dueMs(session), session);
  }

  #drop(session: Session<A, K>): void {
    session.isGone = true;
    this.#count--;
    const rest = (this.#sessions.get(session.key) ?? []).filter((other) => other !== session);
    if (rest.length === 0) this.#sessions.delete(session.key);
    else this.#sessions.set(session.key, rest);
  }

  #advance(watermarkMs: number): readonly SessionResult<K, R>[] {
    this.#watermarkMs = watermarkMs;
    if (this.#queue.dueMs > watermarkMs) return nothing;
    const ended: Session<A, K>[] = [];
    while (this.#queue.dueMs <= watermarkMs) {
      const session = this.#queue.take();
      if (session === undefined) break;
      if (session.isGone) continue;
      if (!session.isOut && this.#endMs(session) <= watermarkMs) {
        session.isOut = true;
        ended.push(session);
      }
      if (this.#dueMs(session) > watermarkMs) this.#queue.add(this.#dueMs(session), session);
      else this.#drop(session);
    }
    return ended.sort(byEnd).map((session) => this.#result(session));
  }

  #result(session: Session<A, K>): SessionResult<K, R> {
    const { key, startMs, accumulator, replaces } = session;
    session.isOut = true;
    session.revision++;
    session.replaces = [];
    const value = this.#reducer.result(accumulator);
    return { key, startMs, endMs: this.#endMs(session), value, revision: session.revision, replaces };
  }

  #endMs({ lastMs }: Session<A, K>): number {
    return lastMs + this.#gapMs;
  }

  /** When it comes out; when it is out, when it can go. */
  #dueMs(session: Session<A, K>): number {
    return this.#endMs(session) + (session.isOut ? this.#latenessMs : 0);
  }
}
