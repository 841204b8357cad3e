import type { Observable } from 'rxjs';
import type { PipelineSpec } from '../flow/pipeline-spec.js';
import type { FakeDisk } from './fake-disk.js';
import type { FakeFiles } from './fake-files.js';
import type { OutcomeRule } from './outcome-faults.js';
import type { Seeded } from './seeded.js';
import type { VirtualClock } from './virtual-clock.js';

/** One life of the process under test, with the ports that it has. */
export interface Life<W> {
  /** What outlives it. */
  readonly world: W;
  /** The disk as a port. */
  readonly files: FakeFiles;
  /** The scheduler for everything in it that waits. */
  readonly clock: VirtualClock;
  readonly random: Seeded;
  /**
   * A call of any other port: `effect` is what it does to the world. It takes place after a while, or never, and the
   * process may die before the answer. `tear` does a part of it, where that can happen.
   */
  readonly call: <T>(name: string, effect: () => T, tear?: () => void) => Observable<T>;
}

/** A pipeline and what it promises. */
export interface CrashTrial<W> extends OutcomeRule {
  /** By lane: the records to be read. Enough for some batches of three. */
  readonly lanes: Readonly<Record<string, readonly string[]>>;
  /** Makes what outlives a crash, beside the disk and the checkpoint: a table, a topic. Called for each run. */
  readonly world: () => W;
  /** Puts the pipeline together, in each life anew. Without `source`, `store` and `deadLetters` it gets fake ones. */
  readonly pipeline: (life: Life<W>) => Pick<PipelineSpec, 'routes'> & Partial<PipelineSpec>;
  /** What has come out, read from what outlives a crash: one string for each event. */
  readonly outcome: (world: W, disk: FakeDisk) => readonly string[];
  /** What must come out, in any order. Default: what comes out without a crash. */
  readonly expected?: readonly string[];
  /** Runs with a crash: each call is the first crash in its turn, or a spread of them if there are more. Default 200. */
  readonly crashRuns?: number;
  /** What luck decides (how long a call takes, what a crash leaves) is the same for the same seed. Default 1. */
  readonly seed?: number;
}

/** What was tried. */
export interface CrashReport {
  /** Runs, each from nothing to the end. */
  readonly runs: number;
  /** Crashes in all of them. */
  readonly crashes: number;
  /** What came out without a crash. */
  readonly outcome: readonly string[];
}
