import { concatMap, delay, filter, from, map, mergeMap, NEVER, startWith, take, tap } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transform } from '../../src/flow/transform.js';
import type { Route, Transformed } from '../../src/flow/transform.js';
import { MillraceError } from '../../src/model/errors.js';
import type { LogEvent } from '../../src/model/event.js';
import { drop } from '../../src/operators/drop.js';
import { fields } from '../../src/operators/fields.js';
import { keep } from '../../src/operators/keep.js';
import { normalize } from '../../src/operators/normalize.js';
import { parse } from '../../src/operators/parse.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';
import { marbles } from '../marbles.js';

type EventOperator = OperatorFunction<LogEvent, LogEvent>;

const lane = laneOf('l', NEVER);
const all: Route = { name: 'all', stages: [] };

function text(event: LogEvent): string {
  return String(event.get('message'));
}

/** Events as their ids without the lane, and their text: `0=a`. */
function seen(events: readonly LogEvent[]): string[] {
  return events.map((event) => `${event.id.slice(2)}=${text(event)}`);
}

function runs(stages: readonly EventOperator[], routes: readonly Route[], texts: Iterable<string>): Transformed {
  const got: Transformed[] = [];
  transform(stages, routes)(lane, batchOf(texts)).subscribe((done) => got.push(done));
  expect(got).toHaveLength(1);
  return got[0]!;
}

/** What a leg of the route would count, if its sink took everything. */
function counts(done: Transformed, route = 0): Record<string, number> {
  const tallies = [done.common, done.routes[route]!.tally];
  const sum = (count: (tally: (typeof tallies)[number]) => number): number =>
    tallies.reduce((total, tally) => total + count(tally), 0);
  return {
    read: done.read,
    expanded: sum((tally) => tally.expandedCount),
    filtered: sum((tally) => tally.filteredCount),
    delivered: done.routes[route]!.events.length,
    dead: sum((tally) => tally.deadLetters.length),
  };
}

const throwing = (bad: string): EventOperator =>
  map((event) => {
    if (text(event) === bad) throw new Error(`no ${bad}`);
    return event;
  });
const doubling = mergeMap((event: LogEvent) => [event, event.with({ twin: true })]);
const without = (bad: string): EventOperator => filter((event) => text(event) !== bad);

describe('transform', () => {
  it('gives each route its events, and each record an id', () => {
    const done = runs([], [all, { name: 'b', stages: [keep({ field: 'message', equals: 'b' })] }], 'abc');
    expect(seen(done.routes[0]!.events)).toEqual(['0=a', '1=b', '2=c']);
    expect(seen(done.routes[1]!.events)).toEqual(['1=b']);
    expect(counts(done, 0)).toEqual({ read: 3, expanded: 0, filtered: 0, delivered: 3, dead: 0 });
    expect(counts(done, 1)).toEqual({ read: 3, expanded: 0, filtered: 2, delivered: 1, dead: 0 });
  });

  it('counts for every route what the common stages dropped', () => {
    const routes = [all, { name: 'c', stages: [drop({ field: 'message', equals: 'c' })] }];
    const done = runs([drop({ field: 'message', equals: 'a' })], routes, 'abc');
    expect(counts(done, 0)).toEqual({ read: 3, expanded: 0, filtered: 1, delivered: 2, dead: 0 });
    expect(counts(done, 1)).toEqual({ read: 3, expanded: 0, filtered: 2, delivered: 1, dead: 0 });
  });

  it('an empty batch is a batch: its position counts', () => {
    for (const stages of [
      [],
      [
        () => {
          throw new Error('at once');
        },
      ],
    ]) {
      const done = runs(stages, [all], '');
      expect(counts(done)).toEqual({ read: 0, expanded: 0, filtered: 0, delivered: 0, dead: 0 });
    }
  });

  it('a record that its source calls unusable becomes a dead letter, the others go on', () => {
    const fault = new MillraceError('MILLRACE_E_LINE_TOO_LONG');
    const batch = batchOf('abc');
    const records = batch.records.map((record, at) => (at === 1 ? { ...record, fault } : record));
    let done: Transformed | undefined;
    transform([], [all])(lane, { ...batch, records }).subscribe((result) => (done = result));
    expect(seen(done!.routes[0]!.events)).toEqual(['0=a', '2=c']);
    expect(done!.common.deadLetters).toMatchObject([{ record: { offset: 1, text: 'b' }, index: 0, reason: fault }]);
  });

  describe.each([
    ['one route', [all]],
    ['two routes', [all, { name: 'other', stages: [keep({ field: 'message', exists: true })] }]],
    ['the stage in the route', undefined],
  ] as const)('a throw in a stage: %s', (_, routes) => {
    it.each(['a', 'b', 'c'])('only the thrower %s is dead-lettered, and the counts are right', (bad) => {
      const stages = [without('d'), doubling, throwing(bad)];
      const done = routes === undefined ? runs([], [{ name: 'r', stages }], 'abcd') : runs(stages, routes, 'abcd');
      const others = Array.from('abc').flatMap((each, at) =>
        each === bad ? [] : [`${at}=${each}`, `${at}:1=${each}`],
      );
      expect(seen(done.routes[0]!.events)).toEqual(others);
      expect(counts(done)).toEqual({ read: 4, expanded: 2, filtered: 1, delivered: 4, dead: 1 });
      const [letter] = [...done.common.deadLetters, ...done.routes[0]!.tally.deadLetters];
      expect(letter).toMatchObject({ record: { text: bad }, reason: { code: 'MILLRACE_E_STAGE_THREW' } });
      expect(letter!.reason.cause).toEqual(new Error(`no ${bad}`));
    });
  });

  it('a throw in one route dead-letters the record for all: nobody delivers half of it', () => {
    const done = runs([], [all, { name: 'bad', stages: [throwing('b')] }], 'abc');
    expect(seen(done.routes[0]!.events)).toEqual(['0=a', '2=c']);
    expect(seen(done.routes[1]!.events)).toEqual(['0=a', '2=c']);
    expect(done.common.deadLetters).toHaveLength(1);
    expect(counts(done, 0)).toEqual({ read: 3, expanded: 0, filtered: 0, delivered: 2, dead: 1 });
  });

  it('everything throws: everything is a dead letter', () => {
    const broken: EventOperator = () => {
      throw new Error('wrong from the start');
    };
    expect(counts(runs([broken], [all], 'abc'))).toEqual({ read: 3, expanded: 0, filtered: 0, delivered: 0, dead: 3 });
  });

  it('runs the stages once when nothing throws', () => {
    let ran = 0;
    runs([tap(() => ran++)], [all, all], 'abc');
    expect(ran).toBe(3);
  });

  it('counts for operators that are not ours, in the common stages and in a route', () => {
    const done = runs(
      [without('a'), map((event) => event.with({ message: text(event).toUpperCase() }))],
      [all, { name: 'r', stages: [doubling, without('C')] }],
      'abc',
    );
    expect(seen(done.routes[0]!.events)).toEqual(['1=B', '2=C']);
    expect(seen(done.routes[1]!.events)).toEqual(['1=B', '1:1=B']);
    expect(counts(done, 0)).toEqual({ read: 3, expanded: 0, filtered: 1, delivered: 2, dead: 0 });
    expect(counts(done, 1)).toEqual({ read: 3, expanded: 2, filtered: 3, delivered: 2, dead: 0 });
  });

  it('an event from nowhere is a fault of its stage: no record is acknowledged as delivered with it', () => {
    const stray = runs([], [all], 'z').routes[0]!.events[0]!.nth(7);
    const done = runs([startWith(stray)], [all], 'ab');
    expect(counts(done)).toEqual({ read: 2, expanded: 0, filtered: 0, delivered: 0, dead: 2 });
    expect(done.common.deadLetters[0]!.reason).toMatchObject({ cause: { code: 'MILLRACE_E_STAGE_FOREIGN_EVENT' } });
  });

  it(
    'an operator that takes its time is waited for; unsubscribing cancels it',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const wait = time('                   ---|      ');
      const expected = '                    ---(d|)   ';
      const run = transform([delay(wait)], [all]);
      const result = run(lane, batchOf('ab')).pipe(map((done) => seen(done.routes[0]!.events).join()));
      expectObservable(result).toBe(expected, { d: '0=a,1=b' });
      const slow = cold('                   -----|    ');
      const unsub = '                       --!       ';
      const subs = '                        ^-!       ';
      const waiting = transform([concatMap((event) => slow.pipe(map(() => event)))], [all]);
      expectObservable(waiting(lane, batchOf('ab')), unsub).toBe('-');
      expectSubscriptions(slow.subscriptions).toBe(subs);
    }),
  );

  it('two runs of a transform share nothing', () => {
    const run = transform([take(1)], [all]);
    const got: Transformed[] = [];
    from([batchOf('ab'), batchOf('cd', 2)])
      .pipe(mergeMap((batch) => run(lane, batch)))
      .subscribe((done) => got.push(done));
    expect(got.map((done) => seen(done.routes[0]!.events))).toEqual([['0=a'], ['2=c']]);
  });

  it('takes a hundred thousand records, also record by record', () => {
    const texts = new Array<string>(1e5).fill('x');
    expect(runs([keep({ field: 'message', exists: true })], [all, all], texts).routes[1]!.events).toHaveLength(1e5);
    const few = [...texts.slice(0, 20_000), 'bad'];
    expect(counts(runs([throwing('bad')], [all], few))).toMatchObject({ delivered: 20_000, dead: 1 });
  });

  it('a level that the source gives comes before that of the line', () => {
    const stages = [
      parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }),
      keep({ minLevel: 'WARN' }),
    ];
    const kept = (fields: Readonly<Record<string, unknown>>): string[] => {
      let events: readonly LogEvent[] = [];
      transform(stages, [all])({ ...lane, fields }, batchOf(['INFO|a', 'ERROR|b'])).subscribe((done) => {
        events = done.routes[0]!.events;
      });
      return seen(events);
    };
    expect(kept({})).toEqual(['1=b']);
    expect(kept({ level: 'ERROR' })).toEqual(['1=b']);
    expect(kept({ 'log.level': 'ERROR' })).toEqual(['0=a', '1=b']);
    expect(kept({ 'event.severity': 5 })).toEqual([]);
  });

  it('what it knows ahead of levels changes no outcome', () => {
    const levels = ['INFO', ' warn', 'ERR ', 'odd', '', 'Fatal'];
    const line = fc.oneof(
      fc.tuple(fc.constantFrom(...levels), fc.string()).map((parts) => `2026-01-01T00:00:00Z|${parts.join('|')}`),
      fc.string(),
      fc.constantFrom('', '  ', '||', '|', 'INFO', '|INFO|', '\t|WARN|x'),
    );
    const names = fc.constantFrom<readonly string[]>(
      ['time', 'level', 'message'],
      ['level', 'message'],
      ['message', 'level'],
    );
    const condition = fc.constantFrom<Parameters<typeof keep>[0]>(
      { level: 'WARN' },
      { level: ['INFO', 'fatal'] },
      { minLevel: 'warning' },
      { level: 'ERROR', field: 'message', contains: 'a' },
    );
    const middle = fc.constantFrom<readonly EventOperator[]>(
      [],
      [normalize()],
      [fields({ set: { level: 'ERROR' } })],
      [normalize(), fields({ rename: { 'log.level': 'level' }, remove: ['event.severity'] })],
    );
    const originFields = fc.constantFrom({}, { 'log.level': 'ERROR' }, { 'event.severity': 17 }, { level: 'INFO' });
    fc.assert(
      fc.property(
        fc.array(line),
        names,
        middle,
        condition,
        fc.boolean(),
        originFields,
        (texts, name, between, when, keeps, given) => {
          const stages = [
            parse({ format: 'delimited', separator: '|', fields: name }),
            ...between,
            keeps ? keep(when) : drop(when),
          ];
          const place = { ...lane, fields: given };
          const result = (operators: readonly EventOperator[]): unknown => {
            let done: Transformed | undefined;
            transform(operators, [all])(place, batchOf(texts)).subscribe((each) => (done = each));
            const dead = done!.common.deadLetters.map(({ record, reason }) => [record.offset, reason.message]);
            return { events: done!.routes[0]!.events.map((event) => [event.id, event.fields]), dead, ...counts(done!) };
          };
          // Behind a stage that says nothing about levels nobody knows anything ahead.
          expect(result(stages)).toEqual(result([fields({}), ...stages]));
        },
      ),
    );
  });
});
