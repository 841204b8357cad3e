import { concat, defer, EMPTY, finalize, map, NEVER, of, throwError, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { topology } from '../../src/flow/topology.js';
import type { MirrorSpec } from '../../src/flow/mirrors.js';
import type { Settled } from '../../src/flow/settle.js';
import type { Batch, Lane } from '../../src/model/batch.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { MillraceError } from '../../src/model/errors.js';
import type { Notice } from '../../src/model/notice.js';
import type { Delivery, Receipt, SinkResource } from '../../src/model/sink.js';
import { keep } from '../../src/operators/keep.js';
import { parse } from '../../src/operators/parse.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';
import { receiptFor, RecordingSink, resourceOf } from '../../src/testing/recording-sink.js';
import { marbles } from '../marbles.js';

const refused = ({ items }: Delivery): Receipt => ({
  delivered: 0,
  duplicates: 0,
  refused: items.map((item) => ({ item, reason: new Error('no') })),
});
const said = ({ ledger, position }: Settled): string => {
  const { read, delivered, deadLettered } = ledger.total;
  return `${position}: ${read} ${delivered} ${deadLettered} ${Object.keys(ledger.legs).join()}`;
};

interface Mirrored {
  readonly result: Observable<string>;
  readonly main: RecordingSink;
  readonly notices: Notice[];
}

/** A pipeline with a mirror of everything, unless the spec says otherwise. */
function mirrored(batches: Observable<Batch>, spec: MirrorSpec, scheduler: SchedulerLike): Mirrored {
  const main = new RecordingSink();
  const notices: Notice[] = [];
  const lane = (): Observable<Lane> => of(laneOf('l', batches));
  const result = topology()
    .from({ open: lane })
    .route('all', { to: [resourceOf(main)], mirror: { ratio: 1, ...spec } })
    .run(
      {
        checkpoint: { load: () => of(undefined), save: () => EMPTY },
        deadLetters: resourceOf(new RecordingSink<DeadLetter>()),
        report: (notice) => void notices.push(notice),
      },
      scheduler,
    );
  return { result: result.pipe(map(said)), main, notices };
}

/** The batches a, b, c … of one record each. */
const one = map((letter: string) => batchOf(letter, letter.charCodeAt(0) - 97));
const textsIn = (sink: RecordingSink): unknown[] =>
  sink.deliveries.flatMap(({ items }) => items.map((event) => event.get('message')));
const settled = { a: '1: 1 1 0 all', b: '2: 1 1 0 all', c: '3: 1 1 0 all', d: '4: 1 1 0 all' };
const lossesIn = (notices: readonly Notice[]): unknown[] =>
  notices.filter(({ code }) => code === 'MILLRACE_E_FLOW_MIRROR_LOST').map(({ details }) => details);
const losses = (some: object): object => ({ noRoom: 0, failed: 0, ended: 0, refused: 0, ...some });

describe('a mirror', () => {
  it(
    'gets what its route gets, in order, in tasks of its own; the ledger does not know it',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('-a-b-c-|');
      const expected = '    -a-b-c-|';
      const sink = new RecordingSink();
      const { result, notices } = mirrored(batches.pipe(one), { to: resourceOf(sink) }, scheduler);
      expectObservable(result).toBe(expected, settled);
      flush();
      expect(textsIn(sink)).toEqual(['a', 'b', 'c']);
      expect(notices).toEqual([]);
    }),
  );

  // Whatever it does: the main path is that of a pipeline without it.
  const sinks: Readonly<Record<string, (scheduler: SchedulerLike) => SinkResource>> = {
    'is slow': (scheduler) =>
      resourceOf(new RecordingSink((all) => timer(7, scheduler).pipe(map(() => receiptFor(all))))),
    'never answers': () => resourceOf(new RecordingSink(() => NEVER)),
    fails: () => resourceOf(new RecordingSink(() => throwError(() => new MillraceError('MILLRACE_E_FILE_IO')))),
    throws: () =>
      resourceOf(
        new RecordingSink(() => {
          throw new Error('thrown');
        }),
      ),
    'refuses everything': () => resourceOf(new RecordingSink((all) => of(refused(all)))),
    'answers nothing': () => resourceOf(new RecordingSink(() => EMPTY)),
    'does not open': () => ({ name: 'away', open: () => NEVER }),
    'fails to open': () => ({ name: 'away', open: () => throwError(() => new Error('away')) }),
    'throws when it is opened': () => ({
      name: 'away',
      open: () => {
        throw new Error('away');
      },
    }),
    'breaks while it is open': (scheduler) => ({
      name: 'broken',
      open: () =>
        concat(
          of(new RecordingSink()),
          timer(2, scheduler).pipe(
            map(() => {
              throw new Error('broken');
            }),
          ),
        ),
    }),
  };
  it.each(Object.entries(sinks))('that %s changes nothing of the pipeline', (_, sinkOf) => {
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('-a-b-(cd)-|');
      const expected = '    -a-b-(cd)-|';
      const { result, main } = mirrored(batches.pipe(one), { to: sinkOf(scheduler), maxBatches: 1 }, scheduler);
      expectObservable(result).toBe(expected, settled);
      flush();
      expect(textsIn(main)).toEqual(['a', 'b', 'c', 'd']);
    })();
  });

  it(
    'drops what finds no room, and what waits at the end, and says how much of each',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('-a-b-c-d-|');
      const expected = '    -a-b-c-d-|';
      const sink = new RecordingSink(() => NEVER);
      const { result, notices } = mirrored(batches.pipe(one), { to: resourceOf(sink), maxBatches: 1 }, scheduler);
      expectObservable(result).toBe(expected, settled);
      flush();
      expect(textsIn(sink)).toEqual(['a']);
      // a is being sent, b waits, c and d find no room.
      expect(lossesIn(notices)).toEqual([losses({ noRoom: 2, ended: 2 })]);
      expect(notices[0]).toMatchObject({ level: 'warn', message: 'all/mirror: 4 events were not mirrored to fake' });
    }),
  );

  it(
    'tells of its losses once in ten seconds, and the rest at the end',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('-a-b 10s c-|');
      const expected = '    -a-b 10s c-|';
      const gone = throwError(() => new Error('gone'));
      const sink = new RecordingSink((delivery, at) => [gone, of(refused(delivery))][at] ?? NEVER);
      const { result, notices } = mirrored(batches.pipe(one), { to: resourceOf(sink) }, scheduler);
      expectObservable(result).toBe(expected, settled);
      flush();
      expect(lossesIn(notices)).toEqual([losses({ failed: 1, refused: 1 }), losses({ ended: 1 })]);
    }),
  );

  it(
    'is opened again and again, and sent what has waited',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('-a-b 11s c-|');
      const expected = '    -a-b 11s c-|';
      let opened = 0;
      const sink = new RecordingSink();
      const late = concat(timer(20, scheduler).pipe(map(() => sink)), NEVER);
      const to: SinkResource = {
        name: 'late',
        open: () => defer(() => (++opened < 3 ? throwError(() => new Error('away')) : late)),
      };
      const { result, notices } = mirrored(batches.pipe(one), { to }, scheduler);
      expectObservable(result).toBe(expected, settled);
      flush();
      expect(opened).toBe(3);
      expect(textsIn(sink)).toEqual(['a', 'b', 'c']);
      expect(lossesIn(notices)).toEqual([]);
    }),
  );

  it(
    'gives up what is not taken within ten seconds, and goes on with the next; what is not chosen is not sent',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('-a-b 11s c-|');
      const expected = '    -a-b 11s c-|';
      const sink = new RecordingSink((delivery, at) => (at === 0 ? NEVER : of(receiptFor(delivery))));
      const { result, notices } = mirrored(batches.pipe(one), { to: resourceOf(sink) }, scheduler);
      const none = new RecordingSink();
      const other = mirrored(cold('-a-|').pipe(one), { to: resourceOf(none), ratio: 0 }, scheduler);
      expectObservable(result).toBe(expected, settled);
      expectObservable(other.result).toBe('-a-|', settled);
      flush();
      expect(textsIn(sink)).toEqual(['a', 'b', 'c']);
      expect(lossesIn(notices)).toEqual([losses({ failed: 1 })]);
      expect(none.deliveries).toEqual([]);
    }),
  );

  it(
    'is closed with the pipeline, at once',
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const batches = cold(' -a---------');
      const open = cold('    s----------', { s: new RecordingSink(() => NEVER) });
      const left = '         ----!      ';
      const subs = '         ^---!      ';
      const { result } = mirrored(batches.pipe(one), { to: { name: 'm', open: () => open } }, scheduler);
      expectObservable(result, left).toBe('-a---', settled);
      expectSubscriptions(open.subscriptions).toBe(subs);
    }),
  );

  it('gets a tenth when nothing is said, after the stages of its route, the same events in every run', () => {
    const texts = Array.from({ length: 2000 }, (_, n) => `${n % 2 === 0 ? 'error' : 'info'}|${n}`);
    const runOnce = (ratio?: number): unknown[] => {
      const sink = new RecordingSink();
      let ran: unknown[] = [];
      marbles(({ flush, cold, expectObservable }, scheduler) => {
        const lane = laneOf('l', cold('-a-|', { a: batchOf(texts) }).pipe(finalize(() => (ran = textsIn(sink)))));
        const mirror = { to: resourceOf(sink), ...(ratio === undefined ? {} : { ratio }) };
        const result = topology()
          .from({ open: () => of(lane) })
          .through(parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }))
          .route('r', { stages: [keep({ level: ['ERROR'] })], to: [resourceOf(new RecordingSink())], mirror })
          .run(
            {
              checkpoint: { load: () => of(undefined), save: () => EMPTY },
              deadLetters: resourceOf(new RecordingSink<DeadLetter>()),
            },
            scheduler,
          );
        expectObservable(result.pipe(map(({ position }) => position))).toBe('-a-|', { a: 2000 });
        flush();
      })();
      return ran;
    };
    const tenth = runOnce();
    expect(tenth.length).toBeGreaterThan(70);
    expect(tenth.length).toBeLessThan(130);
    expect(tenth.every((text) => Number(text) % 2 === 0)).toBe(true);
    expect(runOnce()).toEqual(tenth);
    expect(runOnce(0.5)).toEqual(expect.arrayContaining(tenth));
    expect(runOnce(0)).toEqual([]);
  });

  it.each([
    [{ ratio: Number.NaN }, 'ratio NaN, expected 0 … 1'],
    [{ ratio: -1 }, 'ratio -1, expected 0 … 1'],
    [{ ratio: 1.1 }, 'ratio 1.1, expected 0 … 1'],
    [{ maxBatches: 0 }, 'maxBatches 0, expected at least 1'],
  ])('refuses %o while it is put together', (spec, said) => {
    const to = resourceOf(new RecordingSink());
    const flow = topology().from({ open: () => EMPTY });
    const message = `the topology cannot work: the mirror of route "r" has ${said}`;
    const fault = expect.objectContaining({ code: 'MILLRACE_E_FLOW_TOPOLOGY', message });
    expect(() => flow.route('r', { to: [to], mirror: { to, ...spec } })).toThrow(fault);
  });

  it(
    'says why: that it cannot be opened, and what it met last',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('-a-b 1s c-|');
      const expected = '    -a-b 1s c-|';
      const gone = new RecordingSink((all, at) => (at === 0 ? throwError(() => new Error('gone')) : of(refused(all))));
      let opened = 0;
      const to: SinkResource = {
        name: 'odd',
        open: () => (++opened === 1 ? throwError(() => new Error('away')) : concat(of(gone), NEVER)),
      };
      const { result, notices } = mirrored(batches.pipe(one), { to }, scheduler);
      expectObservable(result).toBe(expected, settled);
      flush();
      expect(notices.map(({ level, message }) => `${level} ${message}`)).toEqual([
        'warn opening odd for all/mirror: away; trying again',
        'warn all/mirror: 3 events were not mirrored to odd; the last fault: no',
      ]);
    }),
  );
});
