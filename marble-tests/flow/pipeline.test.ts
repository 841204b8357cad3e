import {
  concat,
  concatWith,
  defer,
  EMPTY,
  finalize,
  map,
  NEVER,
  of,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { pipeline } from '../../src/flow/pipeline.js';
import { legNames } from '../../src/flow/pipeline-spec.js';
import type { PipelineRun, PipelineSpec } from '../../src/flow/pipeline-spec.js';
import type { Settled } from '../../src/flow/settle.js';
import type { Batch, Lane } from '../../src/model/batch.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { MillraceError } from '../../src/model/errors.js';
import type { Notice } from '../../src/model/notice.js';
import type { Delivery, Receipt, Sink, SinkResource } from '../../src/model/sink.js';
import type { SourceContext } from '../../src/model/source.js';
import { parse } from '../../src/operators/parse.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';
import { receiptFor, RecordingSink, resourceOf } from '../../src/testing/recording-sink.js';
import { marbles } from '../marbles.js';

const away = new MillraceError('MILLRACE_E_FILE_IO');
const odd = new Error('odd');

type Setting = Partial<Omit<PipelineSpec, 'source'>> &
  Partial<PipelineRun> & {
    readonly lanes: (context: SourceContext) => Observable<Lane>;
    readonly to?: readonly SinkResource[];
    readonly saved?: Checkpoint;
    /** What happens to the n-th save. Default: durable at once. */
    readonly save?: (at: number) => Observable<void>;
  };

/** A pipeline, and what it saved: `2ms a1 b2`. */
function running(setting: Setting, scheduler: SchedulerLike): { result: Observable<Settled>; saves: string[] } {
  const { lanes, to = [resourceOf(new RecordingSink())], saved, save = () => EMPTY, ...others } = setting;
  const saves: string[] = [];
  const spec: PipelineSpec = {
    source: { open: lanes },
    stages: [],
    routes: [{ name: 'main', stages: [], to }],
    deadLetters: resourceOf(new RecordingSink<DeadLetter>()),
    store: {
      load: () => of(saved),
      save: ({ lanes: positions }) =>
        defer(() => {
          const said = [...positions].map(([id, { position }]) => `${id}${position}`).join(' ');
          saves.push(`${scheduler.now()}ms ${said}`.trim());
          return save(saves.length - 1);
        }),
    },
    policy: { initialMs: 4, jitter: 0 },
    checkpointEveryMs: 20,
    ...others,
  };
  const run: PipelineRun = {
    stop: NEVER,
    once: false,
    startDeadlineMs: 1000,
    report: () => {},
    behind: () => {},
    ...others,
  };
  return { result: pipeline(spec, run, scheduler), saves };
}

/** `a1`: lane and position. */
const placed = map(({ lane, position }: Settled) => `${lane}${position}`);

function known(...lanes: readonly string[]): Checkpoint {
  const positions = lanes.map((each) => [each[0]!, { position: Number(each.slice(1)), state: null }] as const);
  return { lanes: new Map(positions), sinks: new Map(), stages: new Map() };
}

/** Batches of one record each: positions 1, 2, 3 … */
function batchesOf(letter: string): Batch {
  return batchOf(letter, letter.charCodeAt(0) - 97);
}

describe('pipeline', () => {
  it(
    'loads, opens, admits the lane, settles, saves and completes, in this order',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('           -a-b-|       ').pipe(map(batchesOf));
      const opening = cold('      --s-------------- ', { s: new RecordingSink() });
      // opened at 2, first save 2–3, source open at 3, lane admitted 3–4, read from 4 on, last save 9–10
      const expected = '          -----1-2--|       ';
      const save = (): Observable<void> => cold<undefined>('-|');
      const to = [{ name: 's', open: () => opening }];
      const { result, saves } = running({ lanes: () => of(laneOf('l', batches)), to, save }, scheduler);
      expectObservable(result.pipe(map(({ position }) => String(position)))).toBe(expected);
      flush();
      expect(saves).toEqual(['2ms', '3ms l0', '9ms l2']);
    }),
  );

  it(
    'nothing of a new lane is read before a checkpoint that knows it is durable; a known one is read at once',
    marbles(({ cold, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const fresh = cold('        a|').pipe(map(batchesOf));
      const old = cold('          a-|');
      const lanes = (): Observable<Lane> => of(laneOf('o', old.pipe(map(batchesOf))), laneOf('n', fresh));
      const saves = ['|', '#', '---|', '|'];
      const save = (at: number): Observable<void> => cold<undefined>(saves[at] ?? '|', undefined, away);
      const expected = '          x------y|';
      const { result } = running({ lanes, save, saved: known('o0') }, scheduler);
      expectObservable(result.pipe(placed)).toBe(expected, { x: 'o1', y: 'n1' });
      expectSubscriptions(old.subscriptions).toBe('^-!');
      flush();
    }),
  );

  it(
    'a stuck lane does not stop the others, and its position does not move',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const sink: Sink = { deliver: (all) => (all.lane === 's' ? cold('#', {}, away) : of(receiptFor(all))) };
      const lanes = (): Observable<Lane> =>
        of(laneOf('s', of(batchesOf('a'))), laneOf('f', cold('-a-b-c-').pipe(map(batchesOf))));
      const { result, saves } = running({ lanes, to: [resourceOf(sink)] }, scheduler);
      expectObservable(result.pipe(placed), '100ms !').toBe('-x-y-z', { x: 'f1', y: 'f2', z: 'f3' });
      flush();
      expect(saves.at(-1)).toBe('21ms s0 f3');
    }),
  );

  it(
    'a lane that is taken away: nothing of it is acknowledged any more',
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const revoked = hot('       ---r-------------');
      const delivering = cold('   -----(r|)        ');
      const gone = cold('         a-b--------------');
      const sink: Sink = { deliver: (all) => delivering.pipe(map(() => receiptFor(all))) };
      const lanes = (): Observable<Lane> => of(laneOf('g', gone.pipe(map(batchesOf)), { revoked }));
      const expected = '          ---|              ';
      const { result, saves } = running({ lanes, to: [resourceOf(sink)] }, scheduler);
      expectObservable(result.pipe(placed)).toBe(expected);
      expectSubscriptions(delivering.subscriptions).toBe('^--!');
      expectSubscriptions(gone.subscriptions).toBe('      ^--!');
      flush();
      expect(saves).toEqual(['0ms', '0ms g0', '3ms g0']);
    }),
  );

  it(
    'the budget of a lane that ended or was taken away goes to who waits',
    marbles(({ cold, hot, expectObservable }, scheduler) => {
      const revoked = hot('       -----r-----------');
      const lanes = ({ demand }: SourceContext): Observable<Lane> => {
        const reading = (lane: string): Observable<Batch> =>
          demand.reserve(lane, 8).pipe(map(() => ({ ...batchesOf('a'), bytes: 8 })));
        return of(
          laneOf('g', concat(reading('g'), NEVER), { revoked }),
          laneOf('w', reading('w')),
          laneOf('v', reading('v')),
        );
      };
      const sink: Sink = { deliver: (all) => (all.lane === 'g' ? NEVER : cold('--(r|)', { r: receiptFor(all) })) };
      const { result } = running({ lanes, to: [resourceOf(sink)], budgetBytes: 8 }, scheduler);
      const expected = '          -------x-(y|)';
      expectObservable(result.pipe(placed)).toBe(expected, { x: 'w1', y: 'v1' });
    }),
  );

  it(
    'a batch that has settled gives its budget back',
    marbles(({ cold, expectObservable }, scheduler) => {
      const reading = ({ demand }: SourceContext): Observable<Batch> =>
        demand.reserve('l', 8).pipe(map(() => ({ ...batchesOf('a'), bytes: 8 })));
      const lanes = (context: SourceContext): Observable<Lane> =>
        of(laneOf('l', concat(reading(context), reading(context), reading(context))));
      const sink: Sink = { deliver: (all) => cold('--(r|)', { r: receiptFor(all) }) };
      const { result } = running({ lanes, to: [resourceOf(sink)], budgetBytes: 8 }, scheduler);
      const expected = '          --x-x-(x|)';
      expectObservable(result.pipe(placed)).toBe(expected, { x: 'l1' });
    }),
  );

  it(
    'a lane that is opened again waits until what was read of it before has settled',
    marbles(({ cold, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const again = cold('            -b|       ');
      const againSubs = '         ----^-!         ';
      const expected = '          ----xy|         ';
      const sink = new RecordingSink((all, at) => (at === 0 ? cold('#', {}, away) : of(receiptFor(all))));
      const lanes = (): Observable<Lane> =>
        concat(
          of(laneOf('l', of(batchesOf('a')))),
          timer(1).pipe(map(() => laneOf('l', again.pipe(map(batchesOf)), { position: 1 }))),
        );
      const { result, saves } = running({ lanes, to: [resourceOf(sink)] }, scheduler);
      expectObservable(result.pipe(placed)).toBe(expected, { x: 'l1', y: 'l2' });
      expectSubscriptions(again.subscriptions).toBe(againSubs);
      flush();
      expect(saves.at(-1)).toBe('6ms l2');
      expect(sink.deliveries.map(({ position }) => position)).toEqual([1, 1, 2]);
    }),
  );

  it(
    'a lane that was taken away while it waited for its turn changes nothing for the others of its name',
    marbles(({ cold, hot, expectObservable }, scheduler) => {
      const revoked = hot('       --r---------');
      const sink: Sink = { deliver: (all) => cold('-----(r|)', { r: receiptFor(all) }) };
      const lanes = (): Observable<Lane> =>
        of(
          laneOf('l', of(batchesOf('a'))),
          laneOf('l', of(batchesOf('z')), { revoked }),
          laneOf('l', of(batchesOf('b'))),
          laneOf('l', of(batchesOf('z')), { revoked }),
        );
      const { result } = running({ lanes, to: [resourceOf(sink)] }, scheduler);
      expectObservable(result.pipe(placed)).toBe('-----x----(y|)', { x: 'l1', y: 'l2' });
    }),
  );

  it(
    'stop during back-off cuts the wait once; without success the position does not advance and nothing is hot',
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const stop = hot('          ------s---s----------------------');
      const failing = cold<Receipt>('#', {}, away);
      const tries = [
        '                         (^!)                             ',
        '                         ----(^!)                         ',
        '                         ------(^!)                       ',
        '                         ------ 16ms (^!)                 ',
      ];
      const lanes = (context: SourceContext): Observable<Lane> =>
        of(laneOf('l', concat(of(batchesOf('a')), NEVER).pipe(takeUntil(context.stop))));
      const { result, saves } = running({ lanes, stop, to: [resourceOf({ deliver: () => failing })] }, scheduler);
      expectObservable(result, '40ms !').toBe('-');
      expectSubscriptions(failing.subscriptions).toBe(tries);
      flush();
      expect(new Set(saves)).toEqual(new Set(['0ms', '0ms l0']));
    }),
  );

  it(
    'stop during back-off cuts the wait when everybody has heard of the stop: a lane that then ends is not opened again',
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const stop = hot('          ------s----');
      const expected = '          ------(x|) ';
      const heard: string[] = [];
      let tries = 0;
      const deliver = (all: Delivery): Observable<Receipt> => {
        if (++tries < 3) return throwError(() => away);
        heard.push('tried again');
        return of(receiptFor(all));
      };
      const lanes = (context: SourceContext): Observable<Lane> => {
        const stopped = context.stop.pipe(tap(() => heard.push('stopped')));
        return of(laneOf('l', of(batchesOf('a')))).pipe(concatWith(NEVER.pipe(takeUntil(stopped))));
      };
      const { result } = running({ lanes, stop, to: [resourceOf({ deliver })] }, scheduler);
      expectObservable(result.pipe(placed)).toBe(expected, { x: 'l1' });
      flush();
      expect(heard).toEqual(['stopped', 'tried again']);
    }),
  );

  it(
    'stop: what was read is settled and saved, then it completes',
    marbles(({ cold, hot, expectObservable, flush }, scheduler) => {
      const stop = hot('          ---s--------');
      const reading = cold('      a-b-c-d-----').pipe(map(batchesOf));
      const expected = '          -----x----(y|)';
      const sink: Sink = { deliver: (all) => cold('-----(r|)', { r: receiptFor(all) }) };
      const lanes = (context: SourceContext): Observable<Lane> =>
        of(laneOf('l', reading.pipe(takeUntil(context.stop)))).pipe(takeUntil(context.stop));
      const { result, saves } = running({ lanes, stop, to: [resourceOf(sink)] }, scheduler);
      expectObservable(result.pipe(placed)).toBe(expected, { x: 'l1', y: 'l2' });
      flush();
      expect(saves.at(-1)).toBe('10ms l2');
    }),
  );

  it(
    'stop before the sinks are open: it completes, nothing is read or saved',
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const stop = hot('          ---s----- ');
      const opening = cold<Sink>('--------- ');
      const subs = '              ^--!      ';
      const expected = '          ---|      ';
      const to = [{ name: 's', open: () => opening }];
      let opened = 0;
      const lanes = (): Observable<Lane> => (opened++, NEVER);
      const { result, saves } = running({ lanes, stop, to }, scheduler);
      expectObservable(result).toBe(expected);
      expectSubscriptions(opening.subscriptions).toBe(subs);
      flush();
      expect([opened, saves]).toEqual([0, []]);
    }),
  );

  it(
    'stop while a sink waits to be opened again, or that was there from the start: it completes',
    marbles(({ cold, hot, expectObservable }, scheduler) => {
      const to = [{ name: 's', open: () => cold<Sink>('#', {}, away) }];
      const lanes = (): Observable<Lane> => NEVER;
      expectObservable(running({ lanes, to, stop: hot('--s') }, scheduler).result).toBe('--|');
      expectObservable(running({ lanes, stop: of('s') }, scheduler).result).toBe('|');
    }),
  );

  it(
    'a sink that is away is opened again, patiently; the source waits for all of them',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const notices: Notice[] = [];
      let opens = 0;
      let wasOpen = 0;
      const late: SinkResource = {
        name: 'late',
        open: () => (++opens < 4 ? cold('#', {}, away) : concat(of(new RecordingSink()), NEVER)),
      };
      const { result } = running(
        {
          lanes: () => of(laneOf('l', of(batchesOf('a')))),
          to: [resourceOf(new RecordingSink()), late],
          report: (notice) => notices.push(notice),
          onOpen: () => wasOpen++,
        },
        scheduler,
      );
      expectObservable(result.pipe(placed)).toBe('28ms (x|)', { x: 'l1' }); // 4 + 8 + 16
      flush();
      expect(wasOpen).toBe(1);
      expect(notices.map(({ level, code }) => `${level} ${code ?? ''}`)).toEqual([
        'warn MILLRACE_E_FILE_IO',
        'warn MILLRACE_E_FILE_IO',
        'debug MILLRACE_E_FILE_IO',
      ]);
    }),
  );

  it(
    'a sink that is lost after it was open ends the pipeline: it starts again from what was saved last',
    marbles(({ cold, expectObservable }, scheduler) => {
      const lost: SinkResource = { name: 'lost', open: () => cold('s---#', { s: new RecordingSink() }, away) };
      const { result } = running({ lanes: () => NEVER, to: [lost] }, scheduler);
      expectObservable(result).toBe('----#', undefined, away);
    }),
  );

  it(
    'a sink that cannot be opened at all ends it',
    marbles(({ cold, expectObservable }, scheduler) => {
      const broken: SinkResource = { name: 'broken', open: () => cold('--#', {}, odd) };
      expectObservable(running({ lanes: () => NEVER, to: [broken] }, scheduler).result).toBe('--#', undefined, odd);
    }),
  );

  it(
    'sinks stay open until everything is settled and saved, and are closed by then or on unsubscribe',
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sink = cold('         s-----------', {
        s: { deliver: (all) => cold('---(r|)', { r: receiptFor(all) }) } satisfies Sink,
      });
      const lanes = (): Observable<Lane> => of(laneOf('l', of(batchesOf('a'))));
      const save = (at: number): Observable<void> => cold<undefined>(at === 2 ? '--|' : '|');
      const whole = '             ---x-|      ';
      const early = '             --!         ';
      const run = (): Observable<Settled> =>
        running({ lanes, to: [{ name: 's', open: () => sink }], save }, scheduler).result;
      expectObservable(run().pipe(placed)).toBe(whole, { x: 'l1' });
      expectObservable(run(), early).toBe('-');
      expectSubscriptions(sink.subscriptions).toBe(['^----!', '^-!']);
    }),
  );

  it(
    'unsubscribing closes the source, the lanes and what is delivered',
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const batches = cold('      -a--------');
      const delivering = cold<Receipt>('----------');
      const unsub = '             ---!      ';
      const { result } = running(
        {
          lanes: () => concat(of(laneOf('l', batches.pipe(map(batchesOf)))), NEVER),
          to: [resourceOf({ deliver: () => delivering })],
        },
        scheduler,
      );
      expectObservable(result, unsub).toBe('-');
      expectSubscriptions(batches.subscriptions).toBe('^--!');
      expectSubscriptions(delivering.subscriptions).toBe('-^-!');
    }),
  );

  it(
    'an error that nobody classified ends it after a few tries; subscribing again starts from the checkpoint',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const sink = new RecordingSink((all) => (all.position === 2 ? cold('#', {}, odd) : of(receiptFor(all))));
      const lanes = (): Observable<Lane> => of(laneOf('l', of(batchesOf('a'), batchesOf('b'))));
      const exhausted = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', '5 in a row, the last: odd', { cause: odd });
      const { result, saves } = running({ lanes, to: [resourceOf(sink)] }, scheduler);
      expectObservable(result.pipe(placed)).toBe('x 59ms #', { x: 'l1' }, exhausted);
      flush();
      expect(saves.at(-1)).toBe('20ms l1');
    }),
  );

  it(
    'too many dead letters, of a thousand records at least, stop it loudly, and the batch is not acknowledged',
    marbles(({ expectObservable, flush }, scheduler) => {
      const good = new Array<string>(500).fill('{}');
      const bad = [...good.slice(0, 300), ...new Array<string>(200).fill('x')];
      const lanes = (): Observable<Lane> => of(laneOf('l', of(batchOf(good), batchOf(bad, 500), batchOf(bad, 1000))));
      const setting = { lanes, stages: [parse({ format: 'json' })] };
      const tooMany = new MillraceError('MILLRACE_E_FLOW_DEAD_LETTER_RATIO', '200 of 1000');
      const strict = running({ ...setting, maxDeadLetterRatio: 0.19 }, scheduler);
      const lenient = running({ ...setting, maxDeadLetterRatio: 0.2 }, scheduler);
      expectObservable(strict.result.pipe(placed)).toBe('(x#)', { x: 'l500' }, tooMany);
      expectObservable(lenient.result.pipe(placed)).toBe('(xyz|)', { x: 'l500', y: 'l1000', z: 'l1500' });
      flush();
      expect(strict.saves).toEqual(['0ms', '0ms l0']);
    }),
  );

  it('hands each sink what it saved, and says what a first start is', () => {
    const saved: Checkpoint = {
      lanes: new Map([['l', { position: 3, state: 'here' }]]),
      sinks: new Map([['main', 42]]),
      stages: new Map(),
    };
    const heard: unknown[] = [];
    const resource: SinkResource = {
      name: 's',
      open: (context) => {
        heard.push(context.saved);
        return of(new RecordingSink());
      },
    };
    const lanes = (context: SourceContext): Observable<Lane> => {
      heard.push(context.isFirstStart, context.saved.get('l'));
      return EMPTY;
    };
    const clock = new VirtualTimeScheduler();
    running({ lanes, to: [resource], saved }, clock).result.subscribe();
    running({ lanes, to: [resource] }, clock).result.subscribe();
    expect(heard).toEqual([42, false, { position: 3, state: 'here' }, undefined, true, undefined]);
  });

  it('two subscriptions share nothing', () => {
    const clock = new VirtualTimeScheduler();
    let closed = 0;
    const lanes = (): Observable<Lane> => of(laneOf('l', of(batchesOf('a')).pipe(finalize(() => closed++))));
    const { result } = running({ lanes }, clock);
    const got: string[] = [];
    result.pipe(placed).subscribe((each) => got.push(each));
    result.pipe(placed, take(1)).subscribe((each) => got.push(each));
    expect(got).toEqual(['l1', 'l1']);
    expect(closed).toBe(2);
  });

  it(
    'a throw in the source, an error of it or of a lane ends it',
    marbles(({ expectObservable }, scheduler) => {
      const throwing = (): Observable<Lane> => {
        throw odd;
      };
      expectObservable(running({ lanes: throwing }, scheduler).result).toBe('#', undefined, odd);
      expectObservable(running({ lanes: () => throwError(() => odd) }, scheduler).result).toBe('#', undefined, odd);
      const lane = laneOf(
        'l',
        concat(
          of(batchesOf('a')),
          throwError(() => odd),
        ),
      );
      expectObservable(running({ lanes: () => of(lane) }, scheduler).result.pipe(placed)).toBe(
        '(x#)',
        { x: 'l1' },
        odd,
      );
    }),
  );
});

describe('legNames', () => {
  it('are the routes’ names, numbered where a route has several sinks', () => {
    const routes = [
      { name: 'a', to: [1] },
      { name: 'b', to: [1, 2] },
      { name: 'c', to: [] },
    ];
    expect(legNames(routes)).toEqual(['a', 'b/1', 'b/2']);
  });
});
