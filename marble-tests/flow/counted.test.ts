import {
  concat,
  EMPTY,
  filter,
  from,
  identity,
  map,
  merge,
  mergeMap,
  NEVER,
  of,
  startWith,
  take,
  takeLast,
} from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { counted } from '../../src/flow/counted.js';
import { Tally } from '../../src/flow/tally.js';
import { LogEvent } from '../../src/model/event.js';
import { keep } from '../../src/operators/keep.js';
import { parse } from '../../src/operators/parse.js';
import { marbles } from '../marbles.js';

type EventOperator = OperatorFunction<LogEvent, LogEvent>;

function eventsOf(texts: Iterable<string>): { events: LogEvent[]; tally: Tally } {
  const tally = new Tally();
  const origin = { incarnation: 'i', fields: {}, outcome: tally };
  return { events: [...texts].map((text, offset) => LogEvent.of(origin, { offset, text })), tally };
}

/** Ids that came out, and what was counted: `filtered/expanded/dead`. */
function result(operators: readonly EventOperator[], texts: Iterable<string>): { ids: string[]; counts: string } {
  const { events, tally } = eventsOf(texts);
  const ids: string[] = [];
  operators
    .reduce((each, operator) => counted(operator)(each), from(events))
    .subscribe((event) => {
      expect(event.origin.outcome).toBe(tally);
      ids.push(event.id.slice(2));
    });
  return { ids, counts: `${tally.filteredCount}/${tally.expandedCount}/${tally.deadLetters.length}` };
}

const twice = mergeMap((event: LogEvent) => [event, event.with({ twin: true })]);

describe('counted', () => {
  it('what came in and did not come out was filtered', () => {
    expect(result([filter((event) => event.get('message') !== 'b')], 'abc')).toEqual({
      ids: ['0', '2'],
      counts: '1/0/0',
    });
    expect(result([() => EMPTY], 'abc')).toEqual({ ids: [], counts: '3/0/0' });
    expect(result([identity], 'abc')).toEqual({ ids: ['0', '1', '2'], counts: '0/0/0' });
  });

  it('what came out twice was expanded, and has a number', () => {
    expect(result([twice], 'ab')).toEqual({ ids: ['0', '0:1', '1', '1:1'], counts: '0/2/0' });
  });

  it('two records that carry the same id are two', () => {
    const tally = new Tally();
    const origin = { incarnation: 'i', fields: {}, outcome: tally };
    const twins = [0, 1].map((offset) => LogEvent.of(origin, { offset, text: 'a', id: 'x:1' }));
    const ids: string[] = [];
    from(twins)
      .pipe(counted(identity))
      .subscribe(({ id }) => ids.push(id));
    expect(ids).toEqual(['x:1', 'x:1']);
    expect(`${tally.filteredCount}/${tally.expandedCount}`).toBe('0/0');
  });

  it('numbers stay apart when operators that expand follow each other', () => {
    const { ids, counts } = result([twice, twice, twice], 'a');
    expect(new Set(ids).size).toBe(8);
    expect(counts).toBe('0/7/0');
    expect(result([twice, twice, twice], 'a').ids).toEqual(ids);
  });

  it('an operator that completes early has filtered the rest', () => {
    expect(result([take(1)], 'abc')).toEqual({ ids: ['0'], counts: '2/0/0' });
    expect(result([take(0)], 'abc')).toEqual({ ids: [], counts: '3/0/0' });
    expect(result([twice, take(3), takeLast(1)], 'abc')).toEqual({ ids: ['1'], counts: '5/3/0' });
  });

  it('an operator that subscribes to its source twice is counted once', () => {
    const even = filter((event: LogEvent) => event.offset % 2 === 0);
    const odd = filter((event: LogEvent) => event.offset % 2 === 1);
    expect(result([(events) => concat(events.pipe(even), events.pipe(odd))], 'abcd').ids).toEqual(['0', '2', '1', '3']);
    expect(result([(events) => merge(events, events)], 'ab').counts).toBe('0/2/0');
  });

  it('stages of ours inside another operator are not counted twice', () => {
    const inside: EventOperator = (events) =>
      events.pipe(
        parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }),
        keep({ level: 'WARN' }),
      );
    expect(result([inside], ['WARN|a', 'INFO|b', '', 'c'])).toEqual({ ids: ['0'], counts: '2/0/1' });
    const halves: EventOperator = (events) => merge(events, events.pipe(inside));
    expect(result([halves], ['WARN|a', 'INFO|b', '', 'c'])).toEqual({
      ids: ['0', '1', '2', '3', '0:1'],
      counts: '0/2/1',
    });
  });

  it('an event that did not come in is an error', () => {
    const [stray] = eventsOf('zzz').events.slice(2);
    const caught: unknown[] = [];
    counted(startWith(stray!))(from(eventsOf('ab').events)).subscribe({
      error: (error: unknown) => caught.push(error),
    });
    expect(caught).toEqual([expect.objectContaining({ code: 'MILLRACE_E_STAGE_FOREIGN_EVENT' })]);
  });

  it('is exact for whatever an operator makes of its events', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(3), { maxLength: 5 }), { maxLength: 3 }), fc.nat(6), (plans, length) => {
        const { events, tally } = eventsOf('x'.repeat(length));
        const operators = plans.map((plan): EventOperator => {
          return mergeMap((event, at) => new Array<LogEvent>(plan[at % plan.length] ?? 1).fill(event));
        });
        const ids = new Set<string>();
        let count = 0;
        operators
          .reduce((each, operator) => counted(operator)(each), from(events))
          .subscribe(({ id }) => {
            ids.add(id);
            count++;
          });
        expect(ids.size).toBe(count);
        expect(length + tally.expandedCount).toBe(count + tally.filteredCount);
      }),
    );
  });

  it(
    'empty, never and error pass through; on error nothing is counted',
    marbles(({ expectObservable, flush }) => {
      const { events, tally } = eventsOf('ab');
      expectObservable(EMPTY.pipe(counted(identity))).toBe('|');
      expectObservable(NEVER.pipe(counted(identity))).toBe('-');
      expectObservable(from(events).pipe(counted(() => throwError(() => 'boom')))).toBe('#', undefined, 'boom');
      const broken = map((): LogEvent => {
        throw new Error('mine');
      });
      expectObservable(from(events).pipe(counted(broken))).toBe('#', undefined, new Error('mine'));
      flush();
      expect(tally.filteredCount).toBe(0);
    }),
  );

  it(
    'unsubscribing cancels what the operator waits for',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const slow = cold('  -----|');
      const unsub = '      --!   ';
      const subs = '       ^-!   ';
      const { events, tally } = eventsOf('ab');
      const waiting = counted(mergeMap(() => slow.pipe(mergeMap(() => EMPTY))));
      expectObservable(from(events).pipe(waiting, take(1)), unsub).toBe('-');
      expectSubscriptions(slow.subscriptions).toBe([subs, subs]);
      expect(tally.filteredCount).toBe(0);
    }),
  );

  it('two subscriptions share nothing, and a synchronous source stops after take(1)', () => {
    const { events } = eventsOf('ab');
    const out = of(...events).pipe(counted(twice));
    const ids: string[] = [];
    out.pipe(take(1)).subscribe(({ id }) => ids.push(id));
    out.subscribe(({ id }) => ids.push(id));
    expect(ids).toEqual(['i:0', 'i:0', 'i:0:1', 'i:1', 'i:1:1']);
  });

  it('takes a hundred thousand events', () => {
    const { events, tally } = eventsOf(new Array<string>(1e5).fill('x'));
    let count = 0;
    from(events)
      .pipe(counted(filter(({ offset }) => offset > 0)))
      .subscribe(() => count++);
    expect([count, tally.filteredCount]).toEqual([1e5 - 1, 1]);
  });
});
