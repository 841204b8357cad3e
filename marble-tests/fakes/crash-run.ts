import { EvidenceKeeper } from '../../src/sources/tail/evidence.js';
import { MillraceError } from '../../src/model/errors.js';
import { CheckpointRecords } from '../../src/stores/kafka/checkpoint-records.js';
import { FakeBroker } from './fake-broker.js';
import { FakeStore } from './fake-database.js';
import { FakeDisk } from '../../src/testing/fake-disk.js';
import { LogHistory } from './log-history.js';
import type { HistoryOptions, Step } from './log-history.js';
import { LogWorld } from './log-world.js';
import { Outcome } from './outcome.js';
import { CHECKPOINT, NAME, PipelineLife, STATE_TOPIC } from './pipeline-life.js';
import type { LifeOptions } from './pipeline-life.js';
import { Seeded } from '../../src/testing/seeded.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

/** The port calls, in each life, at which the process dies. */
export type Cuts = readonly number[];

interface SavedLane {
  readonly position: number;
  readonly state: { readonly path: string; readonly end: number; readonly head: string; readonly tail: string };
}

interface SavedCheckpoint {
  readonly lanes: Readonly<Record<string, SavedLane>>;
}

type Trace = (line: string) => void;

/** What a history is like, and how many events of a key may pass. */
export interface PlayOptions extends HistoryOptions {
  /** A few steps only: many more histories are played in the same time. */
  readonly isShort?: boolean;
  readonly mostOfKey?: 1 | 2;
  /** Into a topic as well, in transactions: the checkpoint is in a topic then. */
  readonly isTransactional?: boolean;
}

/** So small that a history rotates many times. */
const ROTATIONS = [
  { rotate: undefined, gzip: false },
  { rotate: { maxBytes: 700 }, gzip: false },
  { rotate: { maxBytes: 1500 }, gzip: true },
] as const;

const GIVE_UP_MS = 60_000;
/** So much of a file has the number of a line, and no other begins so. */
const TELLING_BYTES = 20;
/** A look takes less. */
const LOOK_MS = 50;

/** One run of a history, with its cuts. */
class Run {
  readonly cuts: Cuts;
  readonly history: LogHistory;
  readonly #random: Seeded;
  readonly #trace: Trace;
  readonly #clock = new VirtualClock();
  readonly #disk: FakeDisk;
  readonly #world: LogWorld;
  readonly #options: LifeOptions;
  readonly #store: FakeStore | undefined;
  readonly #broker: FakeBroker | undefined;
  readonly #lives: PipelineLife[] = [];
  readonly #outcome: Outcome;
  #life: PipelineLife | undefined;
  #startAt = 0;

  constructor(seed: number, cuts: Cuts, kind: PlayOptions, trace: Trace) {
    const { mostOfKey } = kind;
    this.cuts = cuts;
    this.#trace = (line) => trace(`${this.#clock.now()} ${line}`);
    const random = new Seeded(seed);
    this.history = new LogHistory(random, kind.isShort === true ? 2 + random.below(6) : 4 + random.below(20), kind);
    const hasCopiesInside = random.chance(0.4);
    this.#random = new Seeded(seed * 1000 + cuts.reduce((sum, cut) => sum * 31 + cut, 0));
    // Not from 0 on: that is the time of a file whose time nobody knows.
    this.#disk = new FakeDisk({ random: this.#random, now: () => 1 + this.#clock.now() });
    this.#world = new LogWorld(this.#disk);
    this.#disk.makeFolder('/logs');
    // Some with a store beside the file.
    // A replay may let another event of a key through when lanes interleave otherwise: the store then has both.
    const isStored = random.chance(0.7) && mostOfKey === undefined;
    this.#store = isStored ? new FakeStore() : undefined;
    this.#broker = kind.isTransactional === true ? new FakeBroker() : undefined;
    this.#outcome = new Outcome(this.#disk, this.#world, { ...kind, store: this.#store, broker: this.#broker });
    let minted = 0;
    this.#options = {
      disk: this.#disk,
      clock: this.#clock,
      ...(this.#store === undefined ? {} : { store: this.#store }),
      ...(this.#broker === undefined ? {} : { broker: this.#broker }),
      mint: () => `i${++minted}`,
      tail: {
        paths: [hasCopiesInside ? '/logs/*.log*' : '/logs/*.log'],
        pollMs: random.pick([20, 100, 400]),
        maxOpenFiles: random.pick([1, 2, 8]),
        // Longer than any pause of a writer.
        ...(kind.isJoined === true
          ? { multiline: { continuation: '^ ', maxLines: 500, maxBytes: 100_000, flushMs: 2000 } }
          : {}),
      },
      budgetBytes: random.pick([1500, 40_000, 64 * 1024 * 1024]),
      // Small blocks are read ahead.
      ...(seed % 5 > 2 ? { blockBytes: 150 } : {}),
      ...(mostOfKey === undefined ? {} : { mostOfKey }),
      ...ROTATIONS[seed % ROTATIONS.length]!,
    };
  }

  /** Plays it to its end; how many calls the first life made. */
  play(): number {
    for (const step of this.history.steps) this.#play(step);
    // A crash while it stops may take back what was not synced.
    do {
      this.#startAt = Math.min(this.#startAt, this.#clock.now());
      this.#waitFor(() => this.#outcome.isComplete(), 'all lines');
      // Whatever comes twice comes later.
      this.#pass(this.#random.chance(0.03) ? 15_000 : 600);
      this.#stop();
    } while (!this.#outcome.isComplete());
    this.#outcome.check(this.#lives);
    return this.#lives[0]!.files.calls;
  }

  #play(step: Step): void {
    this.#pass(step.waitMs);
    if (step.gate !== undefined) this.#waitFor(() => this.#isOpen(step), step.says);
    this.#trace(`== ${step.path}: ${step.says}`);
    const isUnseen = step.isCut === true && !this.#begunOf(step.path).some(({ end }) => end >= TELLING_BYTES);
    step.run?.(this.#world);
    // What grows beyond its old size with the same bytes before anybody looks was cut for nobody.
    if (isUnseen) this.#pass(this.#options.tail!.pollMs! + LOOK_MS);
    if (step.restartAfterMs === undefined || this.#life === undefined) return;
    this.#stop();
    this.#startAt = this.#clock.now() + step.restartAfterMs;
  }

  /** Time goes by; whoever dies starts again a little later. */
  #pass(ms: number): void {
    const until = this.#clock.now() + ms;
    do {
      if (this.#life === undefined && this.#clock.now() >= this.#startAt) this.#start();
      const life = this.#life;
      this.#clock.runUntil(
        life === undefined ? Math.min(until, this.#startAt) : until,
        () => life?.files.isDead === true,
      );
      const isLost = isTransactionLost(life?.error);
      if (life?.error !== undefined && !isLost) throw life.error as Error;
      if (life !== undefined && (life.files.isDead || isLost)) {
        this.#trace('== dead');
        life.bury();
        this.#life = undefined;
        this.#startAt = this.#clock.now() + this.#random.pick([0, 5, 50, 300]);
      }
    } while (this.#clock.now() < until);
  }

  #start(): void {
    const crashAt = this.cuts[this.#lives.length];
    const files = {
      crash: this.#random.chance(0.5) ? ('power' as const) : ('kill' as const),
      watches: this.#random.pick(['always', 'sometimes', 'never'] as const),
      trace: this.#trace,
      ...(crashAt === undefined ? {} : { crashAt }),
    };
    this.#trace(`== start, ${files.crash}; ${this.#disk.text(CHECKPOINT)}`);
    this.#life = new PipelineLife({ ...this.#options, files });
    this.#lives.push(this.#life);
  }

  #waitFor(isTrue: () => boolean, what: string): void {
    const until = this.#clock.now() + GIVE_UP_MS;
    while (!isTrue()) {
      if (this.#clock.now() > until) {
        this.#outcome.check(this.#lives);
        throw new Error(`waited in vain for: ${what}`);
      }
      this.#pass(20);
    }
  }

  #stop(): void {
    const isDone = (): boolean => {
      // It may die while it stops; then the next one is stopped.
      this.#life?.stop();
      return this.#life?.isDone === true;
    };
    this.#waitFor(isDone, 'the end');
    this.#life?.bury();
    this.#life = undefined;
    this.#startAt = Infinity;
  }

  // ---- what the world may do

  #isOpen({ gate, path }: Step): boolean {
    const generation = this.#world.current(path);
    if (generation === undefined) return true;
    if (gate === 'known') return this.#savedOf(path).length > 0;
    const begun = this.#begunOf(path);
    if (gate === 'begun') return begun.length > 0;
    return begun.some(({ position }) => position === Buffer.byteLength(generation.content));
  }

  #savedOf(path: string): SavedLane[] {
    const lanes = this.#durableLanes();
    return lanes.filter(({ state }) => state.path === path);
  }

  #durableLanes(): readonly SavedLane[] {
    if (this.#broker !== undefined) {
      const found = new CheckpointRecords(NAME).read(this.#broker.latest(STATE_TOPIC));
      return [...(found?.checkpoint.lanes.values() ?? [])] as unknown as SavedLane[];
    }
    const text = this.#disk.durableText(CHECKPOINT);
    return text === '' ? [] : Object.values((JSON.parse(text) as SavedCheckpoint).lanes);
  }

  /** What the durable checkpoint has of the path's generation; several, when an old one is all that it begins with. */
  #begunOf(path: string): { readonly position: number; readonly end: number }[] {
    const content = Buffer.from(this.#world.current(path)?.content ?? '');
    const isBegun = ({ state: { end, head, tail } }: SavedLane): boolean => {
      if (end === 0 || end > content.length) return false;
      const keeper = new EvidenceKeeper();
      keeper.add(content.subarray(0, end));
      return keeper.evidence.head === head && keeper.evidence.tail === tail;
    };
    const begun = this.#savedOf(path).filter(isBegun);
    return begun.map(({ position, state: { end } }) => ({ position, end }));
  }
}

/** Whoever supervises it starts it again. */
function isTransactionLost(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'MILLRACE_E_KAFKA_TRANSACTION';
}

/** Plays a history with cuts; a failure says how to play it again. Returns how many port calls the first life made. */
export function play(seed: number, cuts: Cuts, kind: PlayOptions = {}, trace: Trace = () => {}): number {
  const run = new Run(seed, cuts, kind, trace);
  try {
    return run.play();
  } catch (error) {
    throw new Error(
      `play(${seed}, [${cuts.join()}], ${JSON.stringify(kind)}) failed\n${run.history.toString()}\n${String(error)}`,
      {
        cause: error,
      },
    );
  }
}
