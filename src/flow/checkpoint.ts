import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  merge,
  Observable,
  race,
  startWith,
  Subject,
  take,
  timer,
} from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import type { Arrival } from '../model/arrival.js';
import type { Lane } from '../model/batch.js';
import type { Checkpoint, CheckpointStore } from '../model/checkpoint.js';
import type { Json } from '../model/json.js';
import type { SinkCapture } from '../model/sink.js';
import type { SavedLane } from '../model/source.js';
import { workWhile } from '../operators/work-while.js';
import { retryBackoff } from '../operators/retry-backoff.js';
import type { BackoffPolicy } from '../operators/backoff.js';
import type { Settled } from './settle.js';

/** A sink whose state belongs into the checkpoint. */
export interface Captured {
  readonly name: string;
  capture(settled: ReadonlyMap<string, number>): SinkCapture;
}

/** Stages whose memory belongs into the checkpoint. `lanes`: those that may be read again. */
export interface CapturedStages {
  capture(lanes: ReadonlyMap<string, unknown>): ReadonlyMap<string, Json>;
}

/** What a checkpointer keeps, and where. */
export interface CheckpointConfig {
  readonly store: CheckpointStore;
  readonly saved: Checkpoint | undefined;
  readonly sinks: readonly Captured[];
  readonly stages: CapturedStages;
  /** At most one checkpoint in this time, except for new lanes and at the end. */
  readonly everyMs: number;
  /** How a failed save is tried again; without end. */
  readonly policy: BackoffPolicy;
}

/** The marks that date what lies beyond a position. */
function neededFrom(marks: readonly Arrival[] | undefined, position: number): readonly Arrival[] | undefined {
  if (marks === undefined || marks.length < 2) return marks;
  return marks.filter((_, at) => (marks[at + 1]?.position ?? Infinity) > position);
}

/**
 * Keeps the positions of a pipeline and saves them. One checkpoint at a time; positions, sink states and memories are
 * taken at one instant, then the sinks make durable what their states speak of, and only then is the checkpoint written.
 *
 * @example
 * ```ts
 * const positionsIn = (lanes: ReadonlyMap<string, { position: number }>) =>
 *   [...lanes].map(([id, { position }]) => `${id} ${position}`).join();
 * const checkpointer = new Checkpointer({
 *   store: {
 *     load: () => of(undefined),
 *     save: ({ lanes }) => defer(() => EMPTY.pipe(tap({ complete: () => console.log(positionsIn(lanes)) }))),
 *   },
 *   saved: undefined,
 *   sinks: [],
 *   stages: new Memories(),
 *   everyMs: 1000,
 *   policy: { initialMs: 100 },
 * });
 * checkpointer.run.subscribe();
 * const lane = laneOf('app', EMPTY);
 * const settled = (position: number) => ({ lane: 'app', position, state: null, bytes: 1, ledger: emptyLedger([]) });
 * concat(checkpointer.admit(lane), of(settled(1), settled(2))).subscribe((each) => checkpointer.settled(each));
 * // → app 0
 * // → app 2
 * ```
 */
export class Checkpointer {
  readonly #config: CheckpointConfig;
  readonly #scheduler: SchedulerLike;
  readonly #lanes: Map<string, SavedLane>;
  readonly #changes = new Subject<void>();
  readonly #urgent = new Subject<void>();
  readonly #durable = new Subject<ReadonlyMap<string, number>>();
  #waiting: (() => void)[] = [];
  #isDirty = false;
  #isHurried = false;

  constructor(config: CheckpointConfig, scheduler: SchedulerLike = asyncScheduler) {
    this.#config = config;
    this.#scheduler = scheduler;
    this.#lanes = new Map(config.saved?.lanes);
  }

  /** Saves while it is subscribed. Never emits and never completes; errors when the policy gives up. */
  get run(): Observable<never> {
    const changes = defer(() => (this.#isDirty ? this.#changes.pipe(startWith(undefined)) : this.#changes));
    return changes.pipe(
      workWhile(
        () => this.#isDirty,
        defer(() => this.#cycle()),
      ),
      ignoreElements(),
    );
  }

  /** How far each lane has settled, as long as it is not forgotten. */
  get lanes(): ReadonlyMap<string, SavedLane> {
    return this.#lanes;
  }

  /** The positions of the lanes, each time a checkpoint has become durable. */
  get durable(): Observable<ReadonlyMap<string, number>> {
    return this.#durable.asObservable();
  }

  /** From now on whatever settles is saved at once: somebody waits for it. */
  hurry(): void {
    this.#isHurried = true;
    this.#urgent.next();
  }

  /** Completes when a checkpoint that knows this lane is durable: before anything of it may be delivered. */
  admit(lane: Lane): Observable<never> {
    return defer(() => {
      if (this.#lanes.has(lane.id)) return EMPTY;
      const { position, state } = lane;
      this.#lanes.set(lane.id, { position, state });
      return this.saveNow();
    });
  }

  settled({ lane, position, state }: Settled): void {
    // It was forgotten while this batch was on its way.
    const known = this.#lanes.get(lane);
    if (known === undefined) return;
    this.#lanes.set(lane, { position, state, arrivals: neededFrom(known.arrivals, position) });
    this.#touch();
  }

  /** The marks of a lane that are known: when its records came in. */
  arrivalsOf(lane: string): readonly Arrival[] {
    return this.#lanes.get(lane)?.arrivals ?? [];
  }

  /** Completes when the marks are durable: before anything that is dated by them may be delivered. */
  arrived(lane: string, arrivals: readonly Arrival[]): Observable<never> {
    return defer(() => {
      const known = this.#lanes.get(lane);
      if (known === undefined) return EMPTY;
      this.#lanes.set(lane, { ...known, arrivals });
      return this.saveNow();
    });
  }

  /** The lane will never be opened again. */
  forget(lane: string): void {
    if (this.#lanes.delete(lane)) this.#touch();
  }

  /** Completes when everything up to now is durable. */
  saveNow(): Observable<never> {
    return new Observable((subscriber) => {
      const done = (): void => subscriber.complete();
      this.#waiting.push(done);
      this.#touch();
      this.#urgent.next();
      return () => (this.#waiting = this.#waiting.filter((other) => other !== done));
    });
  }

  #touch(): void {
    this.#isDirty = true;
    this.#changes.next();
  }

  #cycle(): Observable<unknown> {
    const { everyMs, policy } = this.#config;
    const pause = defer(() =>
      this.#waiting.length > 0 || this.#isHurried
        ? EMPTY
        : race(timer(everyMs, this.#scheduler), this.#urgent).pipe(take(1)),
    );
    let answered: readonly (() => void)[] = [];
    const save = defer(() => {
      // Taken anew at each try: what settled during a wait comes along.
      // A copy: whoever comes while this is being written waits for the next one.
      answered = [...this.#waiting];
      this.#isDirty = false;
      return this.#write();
    });
    const answer = defer(() => {
      for (const done of answered) done();
      return EMPTY;
    });
    return concat(pause, save.pipe(retryBackoff(policy, this.#scheduler)), answer);
  }

  #write(): Observable<never> {
    const { sinks, stages, store } = this.#config;
    const positions = new Map([...this.#lanes].map(([id, { position }]) => [id, position]));
    const captures = sinks.map((sink) => ({ name: sink.name, ...sink.capture(positions) }));
    const checkpoint: Checkpoint = {
      lanes: new Map(this.#lanes),
      sinks: new Map(captures.map(({ name, state }) => [name, state])),
      stages: stages.capture(positions),
    };
    const tell = defer(() => {
      for (const { saved } of captures) saved?.();
      this.#durable.next(positions);
      return EMPTY;
    });
    return concat(merge(...captures.map(({ sync }) => sync)), store.save(checkpoint), tell).pipe(ignoreElements());
  }
}
