import { concat, EMPTY, NEVER, of, range, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { mirror } from '../../src/operators/mirror.js';
import type { Lost } from '../../src/operators/mirror.js';
import { marbles } from '../marbles.js';
import { packStandingCases } from './pack-standing-cases.js';

// Made once: a million stack traces would take a minute.
const mine = new Error('mine');
const throwing = (): never => {
  throw mine;
};

describe.each([
  ['that takes everything', () => EMPTY],
  ['that throws', throwing],
  ['that fails', () => throwError(() => 'down')],
  ['that never ends', () => NEVER],
] as const)('mirror: the main path beside a second sink %s', (_, to) => {
  packStandingCases(() => mirror({ ratio: 1, maxQueue: 3, maxMs: 5, to, onLost: throwing }));
});

describe('mirror', () => {
  it(
    'a share goes to the second sink, spread evenly; everything goes on',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abcdefgh|');
      const subs = '         ^-------!';
      const expected = '     abcdefgh|';
      const mirrored = '     ---d---h ';
      const sent = new Subject<string>();
      const to = (value: string) => {
        sent.next(value);
        return EMPTY;
      };
      expectObservable(sent).toBe(mirrored);
      expectObservable(source.pipe(mirror({ ratio: 0.25, to }))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it.each([
    [0, 0],
    [0.1, 100],
    [1 / 3, 333],
    [0.7, 700],
    [1, 1000],
  ])('a ratio of %d of a thousand is %d', (ratio, expected) => {
    const scheduler = new VirtualTimeScheduler();
    let sent = 0;
    range(0, 1000)
      .pipe(
        mirror(
          {
            ratio,
            maxQueue: 1000,
            to: () => {
              sent++;
              return EMPTY;
            },
          },
          scheduler,
        ),
      )
      .subscribe();
    scheduler.flush();
    expect(sent).toBe(expected);
  });

  it(
    'a slow sink: one at a time, a bounded queue, and what has no room is counted',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  abcd----------|');
      const sending = cold(' ----|          ');
      const subs = ['        ^---!          ', '----^---!     '];
      const expected = '     abcd----------|';
      const noRoom = '       --cd           ';
      const lost = new Subject<string>();
      const onLost = (value: string, { why }: Lost): void => lost.next(why === 'noRoom' ? value : why);
      expectObservable(lost).toBe(noRoom);
      expectObservable(source.pipe(mirror({ ratio: 1, maxQueue: 1, to: () => sending, onLost }))).toBe(expected);
      expectSubscriptions(sending.subscriptions).toBe([subs[0]!, subs[1]!]);
    }),
  );

  it('the main path hears of a value first, and sending is never inside its next', () => {
    const scheduler = new VirtualTimeScheduler();
    const order: string[] = [];
    const to = (value: number) => {
      order.push(`sent ${value}`);
      return EMPTY;
    };
    range(1, 2)
      .pipe(mirror({ ratio: 1, to }, scheduler))
      .subscribe((value) => order.push(`main ${value}`));
    expect(order).toEqual(['main 1', 'main 2']);
    scheduler.flush();
    expect(order).toEqual(['main 1', 'main 2', 'sent 1', 'sent 2']);
  });

  it('says which values did not arrive, and why', () => {
    const scheduler = new VirtualTimeScheduler();
    const lost: unknown[] = [];
    const onLost = (value: string, why: Lost): unknown => lost.push([value, why]);
    const sinks: Record<string, () => typeof EMPTY> = {
      a: throwing,
      b: () => throwError(() => 'down'),
      c: () => NEVER,
    };
    of('a', 'b', 'c', 'd')
      .pipe(mirror({ ratio: 1, maxMs: 9, to: (value) => sinks[value]?.() ?? EMPTY, onLost }, scheduler))
      .subscribe();
    scheduler.flush();
    expect(lost).toEqual([
      ['a', { why: 'failed', error: new Error('mine') }],
      ['b', { why: 'failed', error: 'down' }],
      ['c', { why: 'ended' }],
      ['d', { why: 'ended' }],
    ]);
  });

  it(
    'after completion what waits may still be sent; after unsubscription it is given up',
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const sending = cold('       ---|     ');
      const subs = ['              ^--!     ', '---^--!   '];
      const lost: string[] = [];
      const config = { ratio: 1, to: () => sending, onLost: (value: string) => lost.push(value) };
      expectObservable(cold('(ab|)').pipe(mirror(config))).toBe('(ab|)');
      expectSubscriptions(sending.subscriptions).toBe([subs[0]!, subs[1]!]);
      flush();
      expect(lost).toEqual([]);
      concat(of('c', 'd'), NEVER).pipe(mirror(config)).subscribe().unsubscribe();
      expect(lost).toEqual(['c', 'd']);
    }),
  );

  it('refuses a ratio that is none', () => {
    expect(() => mirror({ ratio: Number.NaN, to: () => EMPTY })).toThrow('ratio is NaN');
  });
});
