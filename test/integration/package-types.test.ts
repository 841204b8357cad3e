import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packedInto, root, Unpacked } from './unpacked.js';

const packed = mkdtempSync(join(tmpdir(), 'millrace-types-'));
let place: Unpacked;

beforeAll(() => {
  place = new Unpacked(packedInto(packed), 'rxjs');
  const modules = join(place.folder, 'node_modules');
  symlinkSync(join(root, 'node_modules/zod'), join(modules, 'zod'));
  mkdirSync(join(modules, '@types'));
  symlinkSync(join(root, 'node_modules/@types/node'), join(modules, '@types/node'));
});

afterAll(() => {
  place.remove();
  rmSync(packed, { recursive: true, force: true });
});

/** Puts a pipeline together from the parts, and another with the builder; names the types of every signature. */
const PROGRAM = `
import { concat, concatMap, defer, EMPTY, from, mergeMap, NEVER, of, takeUntil, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { BackoffPolicy, LogEvent } from 'millrace';
import { keep, parse } from 'millrace/stages';
import { duckdbSink } from 'millrace/duckdb';
import { elasticsearchSink } from 'millrace/elasticsearch';
import type { BulkPort } from 'millrace/elasticsearch';
import { addLedgers, Budget, Checkpointer, emptyLedger, isExact, leg, Memories, refusedTo, settle, topology, transform } from 'millrace/flow';
import type {
  Batch, Captured, CheckpointConfig, CheckpointStore, Counts, DeadLetter, Delivery, Demand, EventOperator, EventSink, Lane, Ledger, Leg,
  LogRecord, Notice, PlacedLeg, Receipt, Refusal, SavedLane, SettleConfig, Settled, Sink, SinkContext, SinkResource, Source, SourceContext, Transform,
} from 'millrace/flow';
import { kafkaSink, kafkaSource } from 'millrace/kafka';
import type { Kafka, KafkaSinkConfig } from 'millrace/kafka';
import { checkpointFile, fileSink } from 'millrace/local';
import { fromTail, tailSource } from 'millrace/tail';

const policy: BackoffPolicy = { initialMs: 100 };
const records: LogRecord[] = [{ offset: 0, text: 'ERROR|a' }];
const batch: Batch = { records, position: 1, bytes: 7, state: null };
const lane: Lane = { id: 'l', position: 0, state: null, fields: {}, batches: of(batch), revoked: NEVER };
const refusal = <T,>(item: T): Refusal<T> => ({ item, reason: new Error('no') });
const sinkOf = <T,>(): Sink<T> => ({
  deliver: ({ items }: Delivery<T>): Observable<Receipt<T>> => of({ delivered: 0, duplicates: 0, refused: items.map(refusal) }),
});
const resource = <T,>(name: string): SinkResource<T> => ({ name, open: (context: SinkContext) => concat(of(sinkOf<T>()), NEVER) });
const stages: EventOperator[] = [parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }), keep({ level: ['ERROR'] })];
const memories = new Memories();
const run: Transform = transform(stages, [{ name: 'all', stages: [] }], memories);
const toAll: Leg<LogEvent> = leg(sinkOf<LogEvent>(), { policy });
const legs: PlacedLeg[] = [{ name: 'all', route: 0, deliver: toAll }];
const settling: SettleConfig = { transform: run, legs, deadLetters: leg(sinkOf<DeadLetter>(), { policy }) };
const store: CheckpointStore = { load: () => of(undefined), save: () => EMPTY };
const sinks: Captured[] = [];
const config: CheckpointConfig = { store, saved: undefined, sinks, stages: memories, everyMs: 1000, policy };
const checkpointer = new Checkpointer(config);
const budget: Demand & Budget = new Budget({ budgetBytes: 1024 });
let ledger: Ledger = emptyLedger(['all']);
const byHand: Observable<Settled> = concat(checkpointer.admit(lane), lane.batches.pipe(settle(lane, settling))).pipe(
  takeUntil(lane.revoked),
  tap((settled) => {
    checkpointer.settled(settled);
    budget.release(settled.lane, settled.bytes);
    ledger = addLedgers(ledger, settled.ledger);
  }),
);
const counts: Counts = ledger.total;
const exact: boolean = isExact(counts);
const source: Source = { open: ({ saved }: SourceContext) => of(lane).pipe(tap(() => saved.get('l') satisfies SavedLane | undefined)) };
const never = (): Observable<never> => NEVER;
const kafka: Kafka = { produce: never, consume: never, transact: never, describe: never, read: never };
const to: KafkaSinkConfig = { brokers: ['localhost:9092'], topic: 't' };
const both: EventSink = kafkaSink(to, { kafka });
const connect = (): Observable<BulkPort> => NEVER;
const built: Observable<Settled> = topology('mine')
  .from(source)
  .through(...stages)
  .deliver(both, elasticsearchSink({ nodes: ['http://localhost:9200'] }, { connect }))
  .route('more', { to: [duckdbSink({ path: 'a.duckdb' }), fileSink({ path: 'a.ndjson' })] })
  .run({ checkpoint: checkpointFile('a.checkpoint'), deadLetters: refusedTo<DeadLetter>(both.deadLetters, resource('mine')), report: (notice: Notice) => void notice });
const more = [kafkaSource({ brokers: ['localhost:9092'], topics: ['a'], groupId: 'g' }), tailSource({ paths: 'a.log' })] satisfies Source[];
const lines: Observable<string> = fromTail('a.log');
export { built, byHand, concatMap, defer, exact, from, lines, mergeMap, more };
`;

describe('the types of the packed package', () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--types', 'node'];
  const compile = (file: string) =>
    place.run(process.execPath, tsc, ...flags, '--target', 'es2023', '--module', 'nodenext', file);

  it(
    'name every part that a pipeline is put together from, and hold without skipLibCheck',
    { timeout: 120_000 },
    async () => {
      expect(await compile(place.write('all.mts', PROGRAM))).toMatchObject({ stdout: '', code: 0 });
    },
  );

  it('refuse what is wrong', { timeout: 120_000 }, async () => {
    const wrong = PROGRAM.replace('leg(sinkOf<LogEvent>()', 'leg(sinkOf<DeadLetter>()');
    const { stdout, code } = await compile(place.write('wrong.mts', wrong));
    expect(stdout).toMatch(/^wrong\.mts.*TS2322/);
    expect(code).not.toBe(0);
  });
});
