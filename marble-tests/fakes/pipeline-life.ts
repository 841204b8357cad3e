import type { Subscription } from 'rxjs';
import { ReplaySubject } from 'rxjs';
import { pipeline } from '../../src/flow/pipeline.js';
import type { Settled } from '../../src/flow/settle.js';
import type { Notice } from '../../src/model/notice.js';
import { keep } from '../../src/operators/keep.js';
import { parse } from '../../src/operators/parse.js';
import { deadLetterLines, eventLines } from '../../src/service/line-codecs.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import { tailSource } from '../../src/sources/tail/tail-source.js';
import type { TailOptions } from '../../src/sources/tail/options.js';
import { checkpointFile } from '../../src/stores/checkpoint-file.js';
import { FakeFiles } from './fake-files.js';
import type { FakeFilesOptions } from './fake-files.js';
import { fakeUnpack } from './fake-unpack.js';
import type { FakeDisk } from './fake-disk.js';
import type { VirtualClock } from './virtual-clock.js';

export const OUT = '/out/kept.ndjson';
export const DEAD = '/out/dead.ndjson';
export const CHECKPOINT = '/data/app.checkpoint';

export const tailDefaults: TailOptions = {
  paths: ['/logs/*.log'],
  exclude: [],
  from: 'beginning',
  fields: {},
  maxLineBytes: 1024,
  onLongLine: 'deadLetter',
  encoding: 'utf-8',
  order: 'any',
  pollMs: 100,
  maxOpenFiles: 8,
  rotateWaitMs: 60,
};

export interface LifeOptions {
  readonly disk: FakeDisk;
  readonly clock: VirtualClock;
  readonly mint: () => string;
  readonly tail?: Partial<TailOptions>;
  readonly files?: FakeFilesOptions;
  readonly once?: boolean;
  readonly budgetBytes?: number;
  readonly checkpointEveryMs?: number;
}

/** One life of a process: the real pipeline on fake files, from its start to its stop or its death. */
export class PipelineLife {
  readonly files: FakeFiles;
  readonly settled: Settled[] = [];
  readonly notices: Notice[] = [];
  behindBytes = 0;
  isDone = false;
  error: unknown;
  readonly #stop = new ReplaySubject<void>(1);
  readonly #subscription: Subscription;

  constructor({ disk, clock, mint, tail, files, once = false, budgetBytes, checkpointEveryMs = 30 }: LifeOptions) {
    this.files = new FakeFiles(disk, clock, files);
    const spec = {
      source: tailSource(
        { ...tailDefaults, ...tail },
        { files: this.files, mint, unpack: (file) => fakeUnpack(file) },
        clock,
      ),
      stages: [
        parse({ format: 'delimited', separator: '|', fields: ['level', 'number', 'message'] }),
        keep({ level: ['ERROR'] }),
      ],
      routes: [{ name: 'out', stages: [], to: [fileSink(OUT, eventLines('json'), this.files)] }],
      deadLetters: fileSink(DEAD, deadLetterLines, this.files),
      store: checkpointFile(CHECKPOINT, this.files),
      checkpointEveryMs,
      ...(budgetBytes === undefined ? {} : { budgetBytes }),
      policy: { random: () => disk.random.next() },
    };
    const run = {
      stop: this.#stop,
      once,
      startDeadlineMs: 30_000,
      report: (notice: Notice) => this.notices.push(notice),
      behind: (bytes: number) => (this.behindBytes = bytes),
    };
    this.#subscription = pipeline(spec, run, clock).subscribe({
      next: (settled) => this.settled.push(settled),
      error: (error: unknown) => {
        this.error = error;
        this.isDone = true;
      },
      complete: () => (this.isDone = true),
    });
  }

  /** SIGTERM. */
  stop(): void {
    this.#stop.next();
  }

  /** Nothing of it does anything any more. */
  bury(): void {
    this.files.crash();
    this.#subscription.unsubscribe();
  }
}
