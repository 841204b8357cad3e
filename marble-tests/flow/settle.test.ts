import { concatMap, filter, map, mergeMap, NEVER, of, range, take, tap, timer } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import * as fc from 'fast-check';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { leg } from '../../src/flow/leg.js';
import { addLedgers, emptyLedger, isExact } from '../../src/flow/ledger.js';
import { settle } from '../../src/flow/settle.js';
import type { PlacedLeg, Settled } from '../../src/flow/settle.js';
import { transform } from '../../src/flow/transform.js';
import type { Batch } from '../../src/model/batch.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { MillraceError } from '../../src/model/errors.js';
import type { LogEvent } from '../../src/model/event.js';
import type { Receipt, Sink } from '../../src/model/sink.js';
import { keep } from '../../src/operators/keep.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';
import { receiptFor, RecordingSink } from '../../src/testing/recording-sink.js';
import { marbles } from '../marbles.js';

const policy = { initialMs: 2, jitter: 0 } as const;
const away = new MillraceError('MILLRACE_E_FILE_IO');
const lane = laneOf('l', NEVER);

interface Setting {
  readonly sinks: readonly Sink[];
  readonly stages?: readonly OperatorFunction<LogEvent, LogEvent>[];
  /** Conditions of the routes: one leg each. Default: as many routes without stages as there are sinks. */
  readonly routes?: readonly (readonly OperatorFunction<LogEvent, LogEvent>[])[];
  readonly deadLetters?: Sink<DeadLetter>;
}

function settling({
  sinks,
  stages = [],
  routes,
  deadLetters = new RecordingSink(),
}: Setting): OperatorFunction<Batch, Settled> {
  const placed = (routes ?? [[]]).map((own, at) => ({ name: `r${at}`, stages: own }));
  const legs: PlacedLeg[] = sinks.map((sink, at) => ({
    name: `leg${at}`,
    route: routes === undefined ? 0 : at,
    deliver: leg(sink, { policy }),
  }));
  return settle(lane, { transform: transform(stages, placed), legs, deadLetters: leg(deadLetters, { policy }) });
}

/** Batches a, b, c … have one record each: positions 1, 2, 3 … */
function batchesOf(letter: string): Batch {
  return batchOf(letter, letter.charCodeAt(0) - 97);
}

const position = map((settled: Settled) => String(settled.position));
const text = (event: LogEvent): string => String(event.get('message'));

describe('settle', () => {
  it(
    'a batch has settled when its slowest leg has it; positions come out in lane order',
    marbles(({ cold, time, expectObservable }) => {
      const batches = cold(' a--b--------c-----|   ').pipe(map(batchesOf));
      const fast = time('    -|                    ');
      const slow = time('    -----|                ');
      const expected = '     -----1----2------3|   ';
      const sinks = [fast, slow].map((wait): Sink => ({
        deliver: (delivery) => timer(wait).pipe(map(() => receiptFor(delivery))),
      }));
      expectObservable(batches.pipe(settling({ sinks }), position)).toBe(expected);
    }),
  );

  it(
    'a leg that tries again alone does not disturb the other, and is waited for',
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const batches = cold('  a-b-c---------------|  ').pipe(map(batchesOf));
      const failing = cold<Receipt>('#', {}, away);
      const failed = [
        '                     (^!)                   ',
        '                     --(^!)                 ',
        '                     ------(^!)             ',
      ];
      const expected = '      --------------(123)-|  ';
      let ran = 0;
      const good = new RecordingSink();
      const late = new RecordingSink((delivery, at) => (at < 3 ? failing : of(receiptFor(delivery))));
      const result = batches.pipe(settling({ sinks: [good, late], stages: [tap(() => ran++)] }), position);
      expectObservable(result).toBe(expected);
      expectSubscriptions(failing.subscriptions).toBe(failed);
      flush();
      expect(good.deliveries.map(({ items }) => text(items[0]!))).toEqual(Array.from('abc'));
      expect(late.deliveries.map(({ items }) => text(items[0]!))).toEqual(Array.from('aaaabc'));
      // Nothing was transformed twice.
      expect(ran).toBe(3);
    }),
  );

  it(
    'a leg that gives up ends the lane after what has settled',
    marbles(({ cold, expectObservable }) => {
      const batches = cold('  a--b----|    ').pipe(map(batchesOf));
      const expected = '      1-- 30ms #   ';
      const odd = new Error('odd');
      const sink = new RecordingSink((delivery, at) => (at === 0 ? of(receiptFor(delivery)) : cold('#', {}, odd)));
      const exhausted = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', '5 in a row, the last: odd', { cause: odd });
      expectObservable(batches.pipe(settling({ sinks: [sink] }), position)).toBe(expected, undefined, exhausted);
    }),
  );

  it(
    'dead letters belong to the acknowledgement: the batch waits for their sink',
    marbles(({ cold, expectObservable, flush }) => {
      const batches = cold('  a-b-|        ').pipe(map(batchesOf));
      const keeping = '       ------(d|)   ';
      const expected = '      ------(12|)  ';
      const deadLetters = new RecordingSink<DeadLetter>((delivery) => cold(keeping, { d: receiptFor(delivery) }));
      const stage = tap((event: LogEvent) => {
        if (text(event) === 'a') throw new Error('mine');
      });
      expectObservable(
        batches.pipe(settling({ sinks: [new RecordingSink()], stages: [stage], deadLetters }), position),
      ).toBe(expected);
      flush();
      expect(deadLetters.deliveries).toMatchObject([
        {
          lane: 'l',
          position: 1,
          items: [{ record: { offset: 0, text: 'a' }, reason: { code: 'MILLRACE_E_STAGE_THREW' } }],
        },
      ]);
    }),
  );

  it('what a sink refuses becomes a dead letter, in the order of the records', () => {
    const deadLetters = new RecordingSink<DeadLetter>();
    const reason = new Error('too odd');
    const picky = (refuses: string): Sink => ({
      deliver: ({ items }) => {
        const refused = items.filter((item) => refuses.includes(text(item))).map((item) => ({ item, reason }));
        return of({ delivered: items.length - refused.length, duplicates: 0, refused });
      },
    });
    const got: Settled[] = [];
    of(batchOf('abcd'))
      .pipe(settling({ sinks: [picky('d'), picky('b')], deadLetters }))
      .subscribe((settled) => got.push(settled));
    expect(deadLetters.deliveries[0]!.items).toMatchObject([
      { record: { offset: 1, text: 'b' }, index: 0, reason },
      { record: { offset: 3, text: 'd' }, index: 0, reason },
    ]);
    expect(got[0]!.ledger).toEqual({
      total: { read: 4, expanded: 0, filtered: 0, delivered: 6, deadLettered: 2, duplicates: 0 },
      legs: {
        leg0: { read: 4, expanded: 0, filtered: 0, delivered: 3, deadLettered: 1, duplicates: 0 },
        leg1: { read: 4, expanded: 0, filtered: 0, delivered: 3, deadLettered: 1, duplicates: 0 },
      },
    });
  });

  it('the ledger of two routes with different filters is exact for each leg', () => {
    const doubling = mergeMap((event: LogEvent) => [event, event]);
    const got: Settled[] = [];
    const remembering: Sink = {
      deliver: ({ items }) => of({ delivered: items.length - 1, duplicates: 1, refused: [] }),
    };
    of(batchOf('aabbbc'))
      .pipe(
        settling({
          sinks: [remembering, new RecordingSink()],
          stages: [filter((event) => text(event) !== 'c')],
          routes: [[keep({ field: 'message', equals: 'a' })], [keep({ field: 'message', equals: 'b' }), doubling]],
        }),
      )
      .subscribe((settled) => got.push(settled));
    expect(got).toHaveLength(1);
    const { legs, total } = got[0]!.ledger;
    expect(legs).toEqual({
      leg0: { read: 6, expanded: 0, filtered: 4, delivered: 1, deadLettered: 0, duplicates: 1 },
      leg1: { read: 6, expanded: 3, filtered: 3, delivered: 6, deadLettered: 0, duplicates: 0 },
    });
    expect(Object.values(legs).every(isExact)).toBe(true);
    expect(total).toEqual({ read: 6, expanded: 3, filtered: 7, delivered: 7, deadLettered: 0, duplicates: 1 });
  });

  it(
    'a batch of which nothing is left settles in its place, without reaching a sink',
    marbles(({ cold, expectObservable, flush }) => {
      const batches = cold('  abc|          ').pipe(map(batchesOf));
      const expected = '      ----(12)(3|)  ';
      const sink = new RecordingSink((delivery) => timer(4).pipe(map(() => receiptFor(delivery))));
      const stages = [filter((event: LogEvent) => text(event) !== 'b')];
      expectObservable(batches.pipe(settling({ sinks: [sink], stages }), position)).toBe(expected);
      flush();
      expect(sink.deliveries).toHaveLength(2);
    }),
  );

  it(
    'empty, never and error pass through; without legs a batch settles at once',
    marbles(({ cold, expectObservable }) => {
      const through = settling({ sinks: [new RecordingSink()] });
      expectObservable(cold('  --|').pipe(map(batchesOf), through)).toBe('--|');
      expectObservable(cold('  -').pipe(map(batchesOf), through)).toBe('-');
      expectObservable(cold('  a-#').pipe(map(batchesOf), through, position)).toBe('1-#');
      expectObservable(cold('  a-|').pipe(map(batchesOf), settling({ sinks: [] }), position)).toBe('1-|');
    }),
  );

  it(
    'unsubscribing cancels deliveries, waits and reading',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const batches = cold('  a-b---      ');
      const running = cold<Receipt>('------');
      const failing = cold<Receipt>('-#', {}, away);
      const unsub = '         --!         ';
      const sinks: Sink[] = [{ deliver: () => running }, { deliver: () => failing }];
      expectObservable(batches.pipe(map(batchesOf), settling({ sinks })), unsub).toBe('-');
      expectSubscriptions(batches.subscriptions).toBe('^-!');
      expectSubscriptions(running.subscriptions).toBe('^-!');
      expectSubscriptions(failing.subscriptions).toBe('^!');
    }),
  );

  it('two subscriptions share nothing but the sinks; take(1) settles one batch', () => {
    const sink = new RecordingSink(() => NEVER);
    const waiting = of(batchOf('a'), batchOf('b', 1)).pipe(settling({ sinks: [sink] }));
    waiting.subscribe();
    waiting.subscribe();
    expect(sink.deliveries.map(({ items }) => text(items[0]!))).toEqual(['a', 'a']);
    const positions: string[] = [];
    const result = of(batchOf('a'), batchOf('b', 1)).pipe(
      settling({ sinks: [new RecordingSink()] }),
      position,
      take(1),
    );
    result.subscribe((each) => positions.push(each));
    result.subscribe((each) => positions.push(each));
    expect(positions).toEqual(['1', '1']);
  });

  it('takes a hundred thousand batches', { timeout: 60_000 }, () => {
    let count = 0;
    range(0, 1e5)
      .pipe(
        map((at) => batchOf('a', at)),
        settling({ sinks: [new RecordingSink()] }),
      )
      .subscribe(() => count++);
    expect(count).toBe(1e5);
  });

  it('whatever happens, every leg is exact and positions never go back', () => {
    const outcome = fc.record({ waitMs: fc.nat(5), failures: fc.nat(3), refused: fc.nat(2), duplicates: fc.nat(2) });
    const letter = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const outcomes = fc.array(outcome, { minLength: 1, maxLength: 6 });
    const letters = fc.array(fc.array(letter, { maxLength: 6 }), { maxLength: 8 });
    const fates = fc.record({
      dropped: letter,
      thrown: letter,
      doubled: letter,
    });
    fc.assert(
      fc.property(letters, fates, outcomes, outcomes, outcomes, fc.nat(4), (batches, fate, one, two, dead, gapMs) => {
        const scheduler = new TestScheduler(() => undefined);
        scheduler.run(({ flush }) => {
          const sinkOf = <T>(plan: typeof one, refuses: boolean): Sink<T> => {
            let calls = 0;
            let failures = 0;
            return {
              deliver: (delivery) => {
                const { waitMs, failures: limit, refused, duplicates } = plan[calls % plan.length]!;
                if (failures < limit) {
                  failures++;
                  return timer(waitMs).pipe(
                    concatMap(() => {
                      throw away;
                    }),
                  );
                }
                failures = 0;
                calls++;
                const { items } = delivery;
                const out = refuses ? items.slice(0, refused) : [];
                const known = Math.min(duplicates, items.length - out.length);
                return timer(waitMs).pipe(
                  map(() => ({
                    delivered: items.length - out.length - known,
                    duplicates: known,
                    refused: out.map((item) => ({ item, reason: new Error('no') })),
                  })),
                );
              },
            };
          };
          const stages: OperatorFunction<LogEvent, LogEvent>[] = [
            filter((event) => text(event) !== fate.dropped),
            map((event) => {
              if (text(event) === fate.thrown) throw new Error('mine');
              return event;
            }),
          ];
          const doubling = mergeMap((event: LogEvent) => (text(event) === fate.doubled ? [event, event] : [event]));
          let from = 0;
          const all = batches.map((texts) => {
            const batch = batchOf(texts, from);
            from += texts.length;
            return batch;
          });
          const settled: Settled[] = [];
          of(...all)
            .pipe(
              concatMap((batch) => timer(gapMs).pipe(map(() => batch))),
              settling({
                sinks: [sinkOf(one, true), sinkOf(two, true)],
                stages,
                routes: [[doubling], [keep({ field: 'message', equals: ['a', 'b', 'c'] }), doubling, doubling]],
                deadLetters: sinkOf(dead, false),
              }),
            )
            .subscribe((each) => settled.push(each));
          flush();
          expect(settled.map((each) => each.position)).toEqual(all.map((batch) => batch.position));
          let sum = emptyLedger(['leg0', 'leg1']);
          for (const { ledger } of settled) {
            expect(Object.values(ledger.legs).every(isExact)).toBe(true);
            sum = addLedgers(sum, ledger);
            expect(Object.values(sum.legs).every(isExact)).toBe(true);
          }
          expect(sum.total.read).toBe(from);
        });
      }),
    );
  });
});
