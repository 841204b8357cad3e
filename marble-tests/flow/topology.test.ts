import { concat, defer, EMPTY, filter, ignoreElements, map, NEVER, of, takeUntil, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { topology } from '../../src/flow/topology.js';
import type { RunOptions } from '../../src/flow/topology.js';
import type { Settled } from '../../src/flow/settle.js';
import type { Batch, Lane } from '../../src/model/batch.js';
import type { CheckpointStore } from '../../src/model/checkpoint.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { MillraceError } from '../../src/model/errors.js';
import type { LogEvent } from '../../src/model/event.js';
import type { Notice } from '../../src/model/notice.js';
import type { EventSink, SinkContext, SinkResource } from '../../src/model/sink.js';
import type { Source, SourceContext } from '../../src/model/source.js';
import { keep } from '../../src/operators/keep.js';
import { parse } from '../../src/operators/parse.js';
import { retryBackoff } from '../../src/operators/retry-backoff.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';
import { receiptFor, RecordingSink, resourceOf } from '../../src/testing/recording-sink.js';
import { marbles } from '../marbles.js';

const store: CheckpointStore = { load: () => of(undefined), save: () => EMPTY };
const noLetters = resourceOf(new RecordingSink<DeadLetter>(), 'letters');
const kept: RunOptions = { checkpoint: store, deadLetters: noLetters };

/** A source of one lane `l`. */
function reading(batches: (context: SourceContext) => Observable<Batch>): Source {
  return { open: (context): Observable<Lane> => of(laneOf('l', batches(context))) };
}

const once = (...texts: readonly string[]): Source => reading(() => of(batchOf(texts)));
const textsIn = (sink: RecordingSink): unknown[] =>
  sink.deliveries.flatMap(({ items }) => items.map((event) => event.get('message')));
const at = map(({ position }: Settled) => String(position));

function codeOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof MillraceError) return `${error.code} ${error.message}`;
  }
  return 'no fault';
}

describe('topology', () => {
  it(
    'is what it says: from, through, deliver; emits what settled and completes with the source',
    marbles(({ cold, expectObservable, flush }) => {
      const batches = cold('  -a-b-|', {
        a: batchOf(['error|x', 'info|y']),
        b: batchOf(['warn|z'], 2),
      });
      const expected = '      -2-3-|';
      const [one, two] = [new RecordingSink(), new RecordingSink()];
      const result = topology()
        .from(reading(() => batches))
        .through(parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }))
        .through(
          keep({ level: ['ERROR', 'WARN'] }),
          filter((event) => event.get('message') !== 'z'),
        )
        .deliver(resourceOf(one), resourceOf(two))
        .run(kept);
      expectObservable(result.pipe(at)).toBe(expected);
      flush();
      expect(textsIn(one)).toEqual(['x']);
      expect(textsIn(two)).toEqual(['x']);
    }),
  );

  it(
    'routes have stages of their own; the legs are named as in a configuration',
    marbles(({ expectObservable, flush }) => {
      const [all, short, other] = [new RecordingSink(), new RecordingSink(), new RecordingSink()];
      const only = (length: number) => filter((event: LogEvent) => String(event.get('message')).length === length);
      const result = topology()
        .from(once('a', 'bb'))
        .deliver(resourceOf(all))
        .route('short', { stages: [only(1)], to: [resourceOf(short), resourceOf(other)] })
        .deliver(resourceOf(new RecordingSink()))
        .run(kept);
      const said = result.pipe(
        map(({ ledger }) => Object.entries(ledger.legs).map(([name, { delivered }]) => `${name} ${delivered}`)),
      );
      expectObservable(said).toBe('(x|)', { x: ['route1 2', 'short/1 1', 'short/2 1', 'route3 2'] });
      flush();
      expect([all, short, other].map(textsIn)).toEqual([['a', 'bb'], ['a'], ['a']]);
    }),
  );

  it(
    'stop: reading ends, what was read is settled, the result completes; with a value that came before as well',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const batches = cold('  -a---b---c', { a: batchOf('a'), b: batchOf('b', 1), c: batchOf('c', 2) });
      const stop = cold('     ------s   ');
      const taking = cold('   ---|      ');
      const expected = '      ----1---(2|)';

      const source = reading((context) => batches.pipe(takeUntil(context.stop)));
      const slow = new RecordingSink((delivery) => concat(taking.pipe(ignoreElements()), of(receiptFor(delivery))));
      expectObservable(
        topology()
          .from(source)
          .deliver(resourceOf(slow))
          .run({ ...kept, stop })
          .pipe(at),
      ).toBe(expected);
      expectSubscriptions(stop.subscriptions).toBe('^-----!');
      expectObservable(
        topology()
          .from(source)
          .deliver(resourceOf(slow))
          .run({ ...kept, stop: of('now') })
          .pipe(at),
      ).toBe('|');
    }),
  );

  it(
    'a stop that fails is reported, and stops',
    marbles(({ cold, expectObservable, flush }) => {
      const stop = cold('--#', undefined, new Error('no signal'));
      const notices: Notice[] = [];
      const report = (notice: Notice): void => void notices.push(notice);
      const source = reading((context) => NEVER.pipe(takeUntil(context.stop)));
      expectObservable(
        topology()
          .from(source)
          .deliver(resourceOf(new RecordingSink()))
          .run({ ...kept, stop, report }),
      ).toBe('  --|');
      flush();
      expect(notices).toEqual([{ level: 'error', message: 'waiting for the stop: no signal; stopping' }]);
    }),
  );

  it(
    'unsubscribing closes everything at once',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const batches = cold<Batch>('---');
      const opening = cold('  s---', { s: new RecordingSink() });
      const stop = cold('     ----');
      const left = '          ---!';
      const sink: SinkResource = { name: 's', open: () => opening };
      expectObservable(
        topology()
          .from(reading(() => batches))
          .deliver(sink)
          .run({ ...kept, stop }),
        left,
      ).toBe('---');
      for (const each of [batches, opening, stop]) expectSubscriptions(each.subscriptions).toBe('^--!');
    }),
  );

  it(
    'nothing happens before it is subscribed; each subscription opens everything anew, so it can be retried',
    marbles(({ expectObservable, flush }) => {
      let opened = 0;
      const sink: SinkResource = {
        name: 's',
        open: () =>
          defer(() =>
            ++opened < 3 ? throwError(() => new Error(`gone ${opened}`)) : concat(of(new RecordingSink()), NEVER),
          ),
      };
      const result = topology()
        .from(once('a'))
        .deliver(sink)
        .run({ ...kept, policy: { initialMs: 1, jitter: 0 } });
      expect(opened).toBe(0);
      expectObservable(result.pipe(retryBackoff({ initialMs: 2, jitter: 0 }), at)).toBe('------(1|)');
      flush();
      expect(opened).toBe(3);
    }),
  );

  it(
    'once: what cannot be reached in time is an error; without it, it is waited for',
    marbles(({ cold, expectObservable }) => {
      const never: SinkResource = { name: 'away', open: () => NEVER };
      const flow = topology().from(once('a')).deliver(never);
      const late = new MillraceError('MILLRACE_E_FLOW_START_DEADLINE', 'startDeadlineMs is 5');
      expectObservable(flow.run({ ...kept, once: true, startDeadlineMs: 5 })).toBe('-----#', undefined, late);
      expectObservable(flow.run({ ...kept, startDeadlineMs: 5 }), '8ms !').toBe('8ms -');
      // Stopped before anything was open: there is nothing to wait for.
      const stop = cold('--s');
      expectObservable(flow.run({ ...kept, once: true, startDeadlineMs: 5, stop })).toBe('--|');
    }),
  );

  it(
    'tells sinks the names, and the source how it is run',
    marbles(({ expectObservable, flush }) => {
      const told: unknown[] = [];
      const sink: SinkResource = {
        name: 's',
        open: ({ pipeline, leg }: SinkContext) => {
          told.push([pipeline, leg]);
          return concat(of(new RecordingSink()), NEVER);
        },
      };
      const source = reading((context) => {
        told.push([context.once, context.startDeadlineMs, context.isFirstStart]);
        return EMPTY;
      });
      expectObservable(
        topology('mine')
          .from(source)
          .deliver(sink)
          .run({ ...kept, once: true, startDeadlineMs: 7 }),
      ).toBe('|');
      flush();
      expect(told).toEqual([
        ['mine', 'route1'],
        [true, 7, true],
      ]);
    }),
  );

  describe('dead letters', () => {
    const strict = parse({ format: 'json' });
    const place = (
      name: string,
      refuses = false,
    ): { sink: RecordingSink<DeadLetter>; at: SinkResource<DeadLetter> } => {
      const sink = new RecordingSink<DeadLetter>(({ items }) =>
        of({
          delivered: refuses ? 0 : items.length,
          duplicates: 0,
          refused: refuses ? items.map((item) => ({ item, reason: new Error('no') })) : [],
        }),
      );
      return { sink, at: resourceOf(sink, name) };
    };
    const gotten = ({ sink }: { sink: RecordingSink<DeadLetter> }): string[] =>
      sink.deliveries.flatMap(({ items }) => items.map(({ record }) => record.text));

    it.each([
      ['beside the checkpoint, when no place is given', false, false, ['beside']],
      ['where it is said, in the form of dead letters', true, false, ['given']],
      ['beside the checkpoint, when they are refused where it is said', true, true, ['given', 'beside']],
    ] as const)('go %s', (_, isGiven, refuses, expected) => {
      const given = place('given', refuses);
      const beside = place('beside');
      const sink: EventSink = { ...resourceOf(new RecordingSink(), 'given'), deadLetters: given.at };
      const settled: Settled[] = [];
      topology()
        .from(once('{', '{}'))
        .through(strict)
        .deliver(resourceOf(new RecordingSink()))
        .run({ checkpoint: { ...store, deadLetters: beside.at }, ...(isGiven ? { deadLetters: sink } : {}) })
        .subscribe((each) => settled.push(each));
      expect(settled.map(({ ledger }) => ledger.total)).toMatchObject([{ read: 2, delivered: 1, deadLettered: 1 }]);
      const names = Object.entries({ given, beside }).flatMap(([name, each]) => gotten(each).map(() => name));
      expect(names).toEqual(expected);
    });
  });

  it('says at once what cannot work and types cannot tell', () => {
    const sink = resourceOf(new RecordingSink());
    const file: SinkResource = { ...sink, name: 'file a.ndjson', isExclusive: true };
    const letters: SinkResource<DeadLetter> = { ...noLetters, name: 'file a.ndjson', isExclusive: true };
    const flow = topology().from(once());
    expect(codeOf(() => topology('a/b'))).toContain(
      'MILLRACE_E_FLOW_TOPOLOGY the topology cannot work: "a/b" is no name',
    );
    expect(codeOf(() => flow.route('', { to: [sink] }))).toContain('empty or has a slash');
    expect(codeOf(() => flow.route('a/1', { to: [sink] }))).toContain('empty or has a slash');
    expect(codeOf(() => flow.route('a', { to: [sink] }).route('a', { to: [sink] }))).toContain('two routes "a"');
    expect(codeOf(() => flow.route('route2', { to: [sink] }).deliver(sink))).toContain('two routes "route2"');
    expect(codeOf(() => flow.deliver(...([] as unknown as [SinkResource])))).toContain('"route1" has no sink');
    expect(codeOf(() => flow.deliver(file, file))).toContain('two sinks write file a.ndjson');
    expect(codeOf(() => flow.deliver(file).run({ checkpoint: store, deadLetters: letters }))).toContain(
      'two sinks write',
    );
    const beside = { ...store, deadLetters: letters };
    expect(codeOf(() => flow.deliver(file).run({ checkpoint: beside, deadLetters: noLetters }))).toContain('two sinks');
    expect(codeOf(() => flow.deliver(sink).run({ checkpoint: store } as RunOptions))).toContain('have no place');
  });

  it('a beginning may be shared: no step changes the one before', () => {
    const [one, two] = [new RecordingSink(), new RecordingSink()];
    const flow = topology().from(once('a', 'b'));
    const narrow = flow.through(filter((event) => event.get('message') === 'a'));
    flow.deliver(resourceOf(one)).run(kept).subscribe();
    narrow.deliver(resourceOf(two)).run(kept).subscribe();
    expect([one, two].map(textsIn)).toEqual([['a', 'b'], ['a']]);
  });

  it(
    'gives what it is told to the pipeline: the budget, the ratio of dead letters, the time between checkpoints',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const saves: number[] = [];
      const saving: CheckpointStore = { ...store, save: () => defer(() => (saves.push(scheduler.now()), EMPTY)) };
      const batches = cold('-a---b-------------------|', { a: batchOf('a'), b: batchOf('b', 1) });
      const reserved: number[] = [];
      const source = reading(({ demand }) => {
        demand.reserve('x', 900).subscribe(() => reserved.push(900));
        demand.reserve('y', 900).subscribe(() => reserved.push(901));
        return batches;
      });
      const flow = topology().from(source).deliver(resourceOf(new RecordingSink()));
      const options = { ...kept, checkpoint: saving, deadLetters: noLetters, checkpointEveryMs: 10, budgetBytes: 800 };
      expectObservable(flow.run(options).pipe(at)).toBe('-1---2-------------------|');
      flush();
      expect(saves).toEqual([0, 0, 11, 25]);
      expect(reserved).toEqual([900]);
      const dead = topology()
        .from(once(...Array.from({ length: 1000 }, () => '{')))
        .through(parse({ format: 'json' }))
        .deliver(resourceOf(new RecordingSink()));
      const errors: unknown[] = [];
      dead.run({ ...kept, maxDeadLetterRatio: 0.5 }).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toMatchObject([{ code: 'MILLRACE_E_FLOW_DEAD_LETTER_RATIO' }]);
    }),
  );
});
