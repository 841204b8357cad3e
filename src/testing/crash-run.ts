import { AssertionError } from 'node:assert';
import { ReplaySubject } from 'rxjs';
import type { Observable } from 'rxjs';
import { isExact } from '../flow/ledger.js';
import { pipeline } from '../flow/pipeline.js';
import type { PipelineSpec } from '../flow/pipeline-spec.js';
import type { Settled } from '../flow/settle.js';
import type { CrashTrial } from './crash-trial.js';
import { FakeCheckpoints } from './fake-checkpoints.js';
import { FakeDisk } from './fake-disk.js';
import { FakeFiles } from './fake-files.js';
import { fakeSource } from './fake-source.js';
import { outcomeFaults } from './outcome-faults.js';
import { RecordingSink, resourceOf } from './recording-sink.js';
import { Seeded } from './seeded.js';
import { VirtualClock } from './virtual-clock.js';

/** In virtual time; longer than any back-off. */
const GIVE_UP_HOURS = 24;
const GIVE_UP_MS = GIVE_UP_HOURS * 3600 * 1000;
const SEED_STEP = 100_003;
/** How many calls before a crash a failure names. */
const LAST_CALLS = 8;

/** One run of a trial: lives that follow each other until everything is through. */
export class CrashRun<W> {
  crashes = 0;
  readonly #trial: CrashTrial<W>;
  readonly #cuts: readonly number[];
  readonly #random: Seeded;
  readonly #clock = new VirtualClock();
  readonly #disk: FakeDisk;
  readonly #checkpoints = new FakeCheckpoints();
  readonly #world: W;
  readonly #settled: Settled[] = [];
  readonly #calls: string[] = [];
  #isToStop: boolean;

  /** `cuts`: the calls, in each life, at which the process dies. `luck`: another number is another history. */
  constructor(trial: CrashTrial<W>, cuts: readonly number[], luck: number) {
    this.#trial = trial;
    this.#cuts = cuts;
    this.#random = new Seeded((trial.seed ?? 1) * SEED_STEP + luck);
    this.#disk = new FakeDisk({ random: this.#random, now: () => 1 + this.#clock.now() });
    this.#world = trial.world();
    this.#isToStop = cuts.length > 0 && this.#random.chance(0.5);
  }

  get outcome(): readonly string[] {
    return this.#trial.outcome(this.#world, this.#disk);
  }

  /** Plays it to its end; the number of calls that the first life made. */
  play(): number {
    const first = new FakeFiles(this.#disk, this.#clock, this.#luck());
    for (
      let files = first, isThrough = false;
      !isThrough;
      files = new FakeFiles(this.#disk, this.#clock, this.#luck())
    ) {
      isThrough = this.#live(files);
      if (files.isDead) this.crashes++;
      if (files.misuses > 0) this.#fail('a file was written to after it was closed');
      files.crash();
      this.#clock.runFor(this.#random.pick([0, 5, 50, 300]));
    }
    return first.calls;
  }

  /** Throws unless this is what came out. */
  check(expected: readonly string[]): void {
    const faults = outcomeFaults(this.outcome, expected, this.#trial);
    if (faults.length > 0) this.#fail(faults.join('\n'));
    if (this.#settled.every(({ ledger }) => [ledger.total, ...Object.values(ledger.legs)].every(isExact))) return;
    this.#fail('the ledger is not exact: a sink answered for more or fewer items than it was given');
  }

  #luck(): ConstructorParameters<typeof FakeFiles>[2] {
    const crashAt = this.#cuts[this.crashes] ?? Infinity;
    const trace = (line: string): void => {
      if (crashAt < Infinity) this.#calls.push(line);
    };
    return { crashAt, crash: this.#random.pick(['kill', 'power'] as const), trace };
  }

  /** One life, to its death, stop or end; true when everything is through. */
  #live(files: FakeFiles): boolean {
    const is = { done: false, stopped: false };
    const failed: { readonly error: unknown }[] = [];
    const stop = new ReplaySubject<void>(1);
    const subscription = this.#start(files, stop).subscribe({
      next: (settled) => this.#settled.push(settled),
      error: (error: unknown) => failed.push({ error }),
      complete: () => (is.done = true),
    });
    if (this.#isToStop) {
      this.#clock.schedule(() => {
        this.#isToStop &&= is.done || files.isDead;
        is.stopped = true;
        stop.next();
      }, this.#random.below(60));
    }
    const isOver = (): boolean => is.done || files.isDead || failed.length > 0;
    if (!isOver()) this.#clock.runUntil(this.#clock.now() + GIVE_UP_MS, isOver);
    if (!isOver()) this.#fail(`not done after ${GIVE_UP_HOURS} hours of virtual time and ${files.calls} calls`);
    subscription.unsubscribe();
    if (failed[0] !== undefined && !files.isDead) this.#fail('the pipeline ended with an error', failed[0].error);
    return is.done && !is.stopped;
  }

  #start(files: FakeFiles, stop: Observable<void>): Observable<Settled> {
    const [clock, random] = [this.#clock, this.#random];
    const life = {
      ...{ world: this.#world, files, clock, random },
      call: <T>(name: string, effect: () => T, tear?: () => void) => files.call(name, effect, tear),
    };
    const spec: PipelineSpec = {
      source: fakeSource(files, this.#trial),
      stages: [],
      deadLetters: resourceOf(new RecordingSink()),
      store: this.#checkpoints.storeOf(files),
      // So often that crashes fall before, into and after it.
      checkpointEveryMs: 3,
      policy: { random: () => random.next() },
      ...this.#trial.pipeline(life),
    };
    const run = { stop, once: true, startDeadlineMs: GIVE_UP_MS, report: () => {}, behind: () => {} };
    return pipeline(spec, run, clock);
  }

  #fail(what: string, cause?: unknown): never {
    const where = this.#cuts.length === 0 ? 'without a crash' : `crash at call ${this.#cuts.join(', then ')}`;
    const last = this.#calls.slice(-LAST_CALLS).map((call) => `\n    ${call}`);
    const message = `${what}\n  (${where}${last.length > 0 ? `; the last calls before it:${last.join('')}` : ''})`;
    throw Object.assign(new AssertionError({ message }), cause === undefined ? {} : { cause });
  }
}
