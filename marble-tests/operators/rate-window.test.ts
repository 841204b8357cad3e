import { EMPTY, map, NEVER, Observable, range, Subject, take, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { rateWindow } from '../../src/operators/rate-window.js';
import { marbles } from '../marbles.js';

const counts = map(({ count }: { count: number }) => String(count));

describe('rateWindow', () => {
  it(
    'counts in windows, also when nothing came; the open one comes out on completion',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-b---------c-|    ');
      const everyMs = time(' -----|             ');
      const subs = '         ^-------------!    ';
      const expected = '     -----2----0---(1|) ';
      expectObservable(source.pipe(rateWindow({ everyMs }), counts)).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'empty has one empty window; never ticks for ever',
    marbles(({ time, expectObservable }) => {
      const everyMs = time('--|');
      expectObservable(EMPTY.pipe(rateWindow({ everyMs }), counts)).toBe('(0|)');
      expectObservable(NEVER.pipe(rateWindow({ everyMs }), counts), '-----!').toBe('--0-0');
    }),
  );

  it(
    'what it may drop: the open window, on error and on unsubscription',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const failing = cold(' ab-c-#  ');
      const lasting = cold(' ab-c--- ');
      const everyMs = time(' ---|    ');
      const unsub = '        -----!  ';
      const failed = '       ---2-#  ';
      const left = '         ---2-   ';
      expectObservable(failing.pipe(rateWindow({ everyMs }), counts)).toBe(failed);
      expectObservable(lasting.pipe(rateWindow({ everyMs }), counts), unsub).toBe(left);
      expectSubscriptions(lasting.subscriptions).toBe('^----!');
    }),
  );

  it('says how long a window was, and what that is in a second', () => {
    const scheduler = new VirtualTimeScheduler();
    const source = new Subject<number>();
    const got: unknown[] = [];
    source.pipe(rateWindow({ everyMs: 500 }, scheduler), take(1)).subscribe((rate) => got.push(rate));
    for (const n of [1, 2, 3]) source.next(n);
    scheduler.flush();
    expect(got).toEqual([{ count: 3, elapsedMs: 500, perSecond: 6 }]);
    expect(source.observed).toBe(false);
  });

  it('a synchronous source of a million stops when the consumer has left, and is one number', () => {
    const got: unknown[] = [];
    range(0, 1e6)
      .pipe(rateWindow({ everyMs: 1000 }))
      .subscribe(({ count }) => got.push(count));
    expect(got).toEqual([1e6]);
    let produced = 0;
    const source = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(produced++);
    });
    source.pipe(take(1), rateWindow({ everyMs: 1000 }), take(1)).subscribe();
    expect(produced).toBe(1);
  });

  it(
    'two subscriptions share nothing',
    marbles(({ cold, time, expectObservable }) => {
      const result = cold('           a-b-|       ').pipe(rateWindow({ everyMs: time('---|') }), counts);
      expectObservable(result).toBe(' ---2(0|)     ');
      expectObservable(result, '--^------').toBe('-----2(0|)');
    }),
  );

  it('is refused without a length', () => {
    expect(() => rateWindow({ everyMs: 0 })).toThrow('everyMs is 0');
  });
});
