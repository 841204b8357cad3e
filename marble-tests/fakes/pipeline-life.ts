import { gzipSync } from 'node:zlib';
import type { Subscription } from 'rxjs';
import { defer, EMPTY, map, of, ReplaySubject } from 'rxjs';
import { pipeline } from '../../src/flow/pipeline.js';
import type { Settled } from '../../src/flow/settle.js';
import type { Notice } from '../../src/model/notice.js';
import type { LogEvent } from '../../src/model/event.js';
import type { SinkResource } from '../../src/model/sink.js';
import type { TransactionsResource } from '../../src/model/transactions.js';
import { keep } from '../../src/operators/keep.js';
import { dedupe } from '../../src/operators/dedupe.js';
import { parse } from '../../src/operators/parse.js';
import type { RememberingStage } from '../../src/operators/remembering.js';
import { stage } from '../../src/operators/stage.js';
import { throttle } from '../../src/operators/throttle.js';
import { deadLetterLines, eventLines } from '../../src/service/line-codecs.js';
import { duckdbSink } from '../../src/sinks/duckdb/duckdb-sink.js';
import { Stores } from '../../src/sinks/duckdb/stores.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import type { GzipBlock } from '../../src/sinks/file/gzip.js';
import type { RotateOptions } from '../../src/sinks/file/options.js';
import { encodeEvents } from '../../src/sinks/kafka/messages.js';
import { kafkaSinkOptions } from '../../src/sinks/kafka/options.js';
import { transactionalSink } from '../../src/sinks/kafka/transactional-sink.js';
import { connectionOf } from '../../src/sources/kafka/options.js';
import { tailSource } from '../../src/sources/tail/tail-source.js';
import type { TailOptions } from '../../src/sources/tail/options.js';
import { checkpointFile } from '../../src/stores/checkpoint-file.js';
import { pipelineTransactions } from '../../src/stores/kafka/pipeline-transactions.js';
import { noSchemas } from './no-schemas.js';
import { transactionalPorts } from './fake-broker.js';
import type { FakeBroker } from './fake-broker.js';
import { fakeDatabase } from './fake-database.js';
import type { FakeStore } from './fake-database.js';
import { FakeFiles } from '../../src/testing/fake-files.js';
import type { FakeFilesOptions } from '../../src/testing/fake-files.js';
import { fakeUnpack } from './fake-unpack.js';
import type { FakeDisk } from '../../src/testing/fake-disk.js';
import type { VirtualClock } from '../../src/testing/virtual-clock.js';

export const OUT = '/out/kept.ndjson';
export const DEAD = '/out/dead.ndjson';
const STORE = '/data/store.duckdb';
/** Little: a run is cut into several transactions. */
const STORE_MEMORY_BYTES = 100_000;
export const CHECKPOINT = '/data/app.checkpoint';
export const TOPIC = { topic: 'kept', partition: 0 };
export const STATE_TOPIC = { topic: 'state', partition: 0 };
export const NAME = 'pipeline';

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
  /** So much of a file is read at a time. */
  readonly blockBytes?: number;
  readonly files?: FakeFilesOptions;
  readonly once?: boolean;
  readonly budgetBytes?: number;
  readonly checkpointEveryMs?: number;
  readonly rotate?: RotateOptions | undefined;
  readonly gzip?: boolean;
  /** At most so many events of a key: three line numbers in a row are one. */
  readonly mostOfKey?: 1 | 2;
  /** A second route delivers to it. */
  readonly store?: FakeStore;
  /** A further route delivers to a topic of it, in transactions. */
  readonly broker?: FakeBroker;
}

/** The key of an event whose line has this number. */
export function bucketOf(number: string): string {
  return String(Math.floor(Number(number) / 3));
}

const bucket = stage((event) =>
  event.with({ bucket: bucketOf(String(event.get('number'))), '@timestamp': '2026-01-01T00:00:00.000Z' }),
);

function limiting(mostOfKey: 1 | 2 | undefined): readonly RememberingStage[] {
  if (mostOfKey === undefined) return [];
  return [mostOfKey === 1 ? dedupe({ by: ['bucket'] }) : throttle({ by: ['bucket'], max: 2, perMs: 1000 })];
}

/** At once, so that it happens in virtual time. */
const fakeGzip: GzipBlock = (block) => defer(() => of(gzipSync(block, { level: 1 })));

/** Throws when an event comes again with another time than before: on a disk, over all lives. */
function sameTimes(disk: FakeDisk, sink: SinkResource): SinkResource {
  const times = timesOn.get(disk) ?? new Map<string, number | undefined>();
  timesOn.set(disk, times);
  const check = ({ id, arrivedMs }: LogEvent): void => {
    if (!times.has(id)) times.set(id, arrivedMs);
    const before = times.get(id);
    if (before !== arrivedMs) throw new Error(`${id} came in at ${String(before)}, and now at ${String(arrivedMs)}`);
  };
  return {
    ...sink,
    open: (context) =>
      sink.open(context).pipe(
        map((open) => ({
          usesArrivals: true as const,
          deliver: (delivery) =>
            defer(() => {
              for (const event of delivery.items) check(event);
              return open.deliver(delivery);
            }),
          capture: (settled) => open.capture!(settled),
          finish: () => open.finish!(),
        })),
      ),
  };
}

const timesOn = new WeakMap<FakeDisk, Map<string, number | undefined>>();

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

  constructor({ disk, clock, mint, tail, files, once = false, ...options }: LifeOptions) {
    const { budgetBytes, blockBytes, checkpointEveryMs = 30, mostOfKey, rotate, gzip = false, store, broker } = options;
    this.files = new FakeFiles(disk, clock, files);
    const checkpoints = checkpointFile(CHECKPOINT, this.files);
    const output = { files: this.files, rotate, gzip: gzip ? fakeGzip : undefined };
    const toStore = (to: FakeStore): { name: string; stages: never[]; to: SinkResource[] } => {
      const openDatabase = () => of(fakeDatabase(to, this.files, disk.random));
      const stores = new Stores({ openDatabase, scheduler: clock, report: () => {} });
      return {
        name: 'store',
        stages: [],
        to: [duckdbSink({ path: STORE, memoryBytes: STORE_MEMORY_BYTES, threads: 1 }, stores)],
      };
    };
    const sink = kafkaSinkOptions.parse({ brokers: ['b:1'], topic: TOPIC.topic, transactional: true });
    const toTopic = { name: 'topic', stages: [], to: [transactionalSink(sink, encodeEvents(sink, noSchemas))] };
    const transactions = (to: FakeBroker): TransactionsResource => {
      const ports = transactionalPorts(to, (name, effect) => this.files.call(name, effect), disk.random);
      const { topic, compression, maxMessageBytes } = sink;
      const target = { connection: connectionOf(sink), topic, compression, maxMessageBytes, mint };
      return pipelineTransactions(
        { ...target, stateTopic: STATE_TOPIC.topic, before: checkpoints },
        { ...ports, consume: () => EMPTY },
      );
    };
    const out = fileSink({ path: OUT, ...output }, eventLines('json'), clock);
    const spec = {
      source: tailSource(
        { ...tailDefaults, ...tail },
        {
          files: this.files,
          mint,
          unpack: (file) => fakeUnpack(file),
          ...(blockBytes === undefined ? {} : { blockBytes }),
        },
        clock,
      ),
      stages: [
        parse({ format: 'delimited', separator: '|', fields: ['level', 'number', 'message'] }),
        keep({ level: ['ERROR'] }),
        bucket,
        ...limiting(mostOfKey),
      ],
      routes: [
        { name: 'out', stages: [], to: [sameTimes(disk, out)] },
        ...(store === undefined ? [] : [toStore(store)]),
        ...(broker === undefined ? [] : [toTopic]),
      ],
      deadLetters: fileSink({ path: DEAD, ...output }, deadLetterLines, clock),
      store: checkpoints,
      transactions: broker === undefined ? undefined : transactions(broker),
      checkpointEveryMs,
      arrivalsEveryMs: 40,
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
