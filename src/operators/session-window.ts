import type { OperatorFunction } from 'rxjs';
import type { KeptState } from './kept-state.js';
import { runMachine } from './machine.js';
import type { Key } from './panes.js';
import type { Reducer } from './reducers.js';
import { SessionsMachine } from './sessions.js';
import type { SessionResult, SessionsState } from './sessions.js';
import type { Aside, Watermarked } from './watermarked.js';

/** What ends a session, and what comes out of it. */
export interface SessionWindowConfig<T, A, R, K extends Key> {
  /** A silence of this length ends a session. */
  readonly gapMs: number;
  readonly reducer: Reducer<T, A, R>;
  /** One session at a time for each key. Default: everything has one key, ''. */
  readonly keyOf?: (element: T) => K;
  /** A session stays changeable this long after its end. Default 0. */
  readonly allowedLatenessMs?: number;
  /** Open at one time. Elements that would begin another are put aside as `full`. Default 100 000. */
  readonly maxSessions?: number;
  /** The side output: every element that is in no result, and why. */
  readonly onAside?: (aside: Aside<T>) => void;
  readonly state?: KeptState<SessionsState<A, K>> | undefined;
}

/**
 * Gathers the elements of a key that are less than `gapMs` apart into a session, and reduces it to one value when the
 * watermark is `gapMs` past its last element. An element between two sessions makes them one.
 *
 * - on error: passed on at once; open sessions do not come out, because half a result is none. They are in `state`.
 * - on complete: every open session comes out, then it completes. On unsubscribe: nothing comes out; it has no timer.
 * - never emits an empty session. Sessions come out in order of their end, then their start, then their key.
 * - late is an element that is older than the watermark of its own lane by more than `allowedLatenessMs`: so sessions do
 *   not depend on how lanes interleave. Within it, an element may join sessions that came out already: the result has the
 *   next revision, and `replaces` names the starts that are no more.
 * - memory: `maxSessions` accumulators. A throw in `keyOf`, `reducer` or `onAside` is an error notification.
 * - source: Akidau et al., The Dataflow Model, VLDB 2015.
 *
 * ```marbles
 * source  -0-2-4-7-|
 * > withWatermark({ timeOf: (n) => n }),
 * >   sessionWindow({ gapMs: 3, reducer: countOf() }),
 * >   map(({ startMs, endMs, value }) => `${startMs}-${endMs} ${value}`)
 * output  -------x-(y|)
 * where   x: '0-7 3', y: '7-10 1'
 * ```
 *
 * @example
 * ```ts
 * from([
 *   { timeMs: 0, user: 'ann' },
 *   { timeMs: 20_000, user: 'ann' },
 *   { timeMs: 90_000, user: 'ann' },
 * ])
 *   .pipe(
 *     withWatermark({ timeOf: (click) => click.timeMs }),
 *     sessionWindow({ gapMs: 60_000, keyOf: (click) => click.user, reducer: countOf() }),
 *   )
 *   .subscribe(({ key, startMs, endMs, value }) => console.log(key, startMs, endMs, value));
 * // → ann 0 80000 2
 * // → ann 90000 150000 1
 * ```
 */
export function sessionWindow<T, A, R, K extends Key = string>(
  config: SessionWindowConfig<T, A, R, K>,
): OperatorFunction<Watermarked<T>, SessionResult<K, R>> {
  const create = (): SessionsMachine<T, A, R, K> => {
    const machine = new SessionsMachine(config, config.state?.saved);
    config.state?.connect(() => machine.capture());
    return machine;
  };
  return runMachine({ create });
}
