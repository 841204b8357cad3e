import {
  bufferTime,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  range,
  Subject,
  take,
  tap,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import type { SchedulerAction, Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { batch } from '../../src/operators/batch.js';
import { marbles } from '../marbles.js';

/** Batches as text: what was collected, side by side. */
const joined = map((elements: readonly string[]) => elements.join(''));
const bySize = (text: string): number => text.length;

describe('batch', () => {
  it(
    'flushes when full, when old, and on completion',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-----d---|    ');
      const wait = time('           ----|        ');
      const subs = '         ^--------------!    ';
      const expected = '     ---x-----y-----(z|) ';
      const result = source.pipe(batch({ maxWaitMs: wait, maxCount: 2 }), joined);
      expectObservable(result).toBe(expected, { x: 'ab', y: 'c', z: 'd' });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'the first element of a batch arms the timer: no tick when idle, no empty array',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  --------a-b---------c--------');
      const wait = time('            ---|               ');
      const expected = '     -----------x-----------y-----';
      expectObservable(source.pipe(batch({ maxWaitMs: wait }), joined)).toBe(expected, { x: 'ab', y: 'c' });
    }),
  );

  it(
    'a batch that went out full does not leave its timer behind',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  -ab-c------');
      const wait = time('     ----|     ');
      const expected = '     --x-----y--';
      const result = source.pipe(batch({ maxWaitMs: wait, maxCount: 2 }), joined);
      expectObservable(result).toBe(expected, { x: 'ab', y: 'c' });
    }),
  );

  it(
    'an element in the frame of the timer is still in the batch when it comes first',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  a--b--c---|  ');
      const wait = time('    ---|         ');
      // A cold source schedules its elements before the operator schedules its timer.
      const expected = '     ---x-----y|  ';
      expectObservable(source.pipe(batch({ maxWaitMs: wait }), joined)).toBe(expected, { x: 'ab', y: 'c' });
    }),
  );

  it(
    'an element in the frame of the timer opens the next batch when the timer comes first',
    marbles(({ cold, time, expectObservable }) => {
      const wait = time('         ---|      ');
      // The second element is scheduled only after the first has armed the timer.
      const source = cold('       a|         ').pipe(mergeMap((first) => concat(of(first), cold('---b|'))));
      const expected = '          ---x(y|)   ';
      expectObservable(source.pipe(batch({ maxWaitMs: wait }), joined)).toBe(expected, { x: 'a', y: 'b' });
    }),
  );

  it(
    'goes out before it would be too large; a larger element goes alone',
    marbles(({ cold, expectObservable }) => {
      const sizes = { a: 'aa', b: 'b', c: 'cc', d: 'dddddd', e: 'e', f: 'ff', g: 'ggg' };
      const source = cold('  -a-b-c-d-e-f-g-|    ', sizes);
      const expected = '     -----x-(yz)--u-(v|) ';
      const result = source.pipe(batch({ maxBytes: 4, bytesOf: bySize }), joined);
      expectObservable(result).toBe(expected, { x: 'aab', y: 'cc', z: 'dddddd', u: 'eff', v: 'ggg' });
    }),
  );

  it(
    'a larger element that comes first goes alone, after nothing',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-|    ', { a: 'aaaaaa', b: 'b' });
      const expected = '     -x---(y|) ';
      const result = source.pipe(batch({ maxBytes: 4, bytesOf: bySize }), joined);
      expectObservable(result).toBe(expected, { x: 'aaaaaa', y: 'b' });
    }),
  );

  it(
    'a batch of exactly maxBytes goes out at once',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-c-|    ', { a: 'aa', b: 'bb', c: 'c' });
      const expected = '     ---x---(y|) ';
      const result = source.pipe(batch({ maxBytes: 4, bytesOf: bySize }), joined);
      expectObservable(result).toBe(expected, { x: 'aabb', y: 'c' });
    }),
  );

  it(
    'without limits there is one batch: everything',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold(' -a-b-c|  ').pipe(batch({}), joined)).toBe('------(x|)', { x: 'abc' });
    }),
  );

  it(
    'empty and never stay so',
    marbles(({ cold, time, expectObservable }) => {
      const maxWaitMs = time('--|');
      expectObservable(cold('---|').pipe(batch({ maxWaitMs, maxCount: 2 }))).toBe('---|');
      expectObservable(cold('|').pipe(batch({ maxWaitMs, maxCount: 2 }))).toBe('|');
      expectObservable(cold('-').pipe(batch({ maxWaitMs, maxCount: 2 })), '20ms !').toBe('-');
    }),
  );

  it(
    'on error what was collected comes out first',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-#    ');
      const expected = '     -----(x#) ';
      expectObservable(source.pipe(batch({ maxWaitMs: 9, maxCount: 3 }), joined)).toBe(expected, { x: 'ab' });
      expectObservable(cold('#').pipe(batch({ maxCount: 3 }))).toBe('#');
    }),
  );

  it(
    'on unsubscribe the timer is cancelled and nothing comes out',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c---');
      const wait = time('     -----|  ');
      const unsub = '        ----!    ';
      const subs = '         ^---!    ';
      const expected = '     -----    ';
      expectObservable(source.pipe(batch({ maxWaitMs: wait }), joined), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'beside it: what bufferTime loses on error and when size and interval work together, and its empty ticks',
    marbles(({ cold, time, expectObservable }) => {
      const wait = time('      ---|               ');
      const fails = cold('     -a-#               ');
      const burst = cold('     (abcdef)---------|  ');
      const kept = '           ---(x#)            ';
      const lost = '           ---#               ';
      expectObservable(fails.pipe(batch({ maxWaitMs: wait + 1 }), joined)).toBe(kept, { x: 'a' });
      expectObservable(fails.pipe(bufferTime(wait + 1), joined)).toBe(lost);
      const all = '            (xyz)------------|  ';
      const some = '           x-----e--e--e--e--- ';
      expectObservable(burst.pipe(batch({ maxWaitMs: wait, maxCount: 2 }), joined)).toBe(all, {
        x: 'ab',
        y: 'cd',
        z: 'ef',
      });
      expectObservable(burst.pipe(bufferTime(wait, wait, 2), joined), '-----------------!').toBe(some, {
        x: 'ab',
        e: '',
      });
    }),
  );

  it('a synchronous source stops when take(1) has its batch', () => {
    let produced = 0;
    const source = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(produced++);
    });
    source.pipe(batch({ maxCount: 3 }), take(1)).subscribe();
    expect(produced).toBe(3);
  });

  it(
    'a throw in bytesOf is an error notification, after what was collected',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-|  ');
      const subs = '         ^----!    ';
      const expected = '     -----(x#) ';
      const bytesOf = (text: string): number => {
        if (text === 'c') throw new Error('mine');
        return 1;
      };
      const result = source.pipe(batch({ maxBytes: 9, bytesOf }), joined);
      expectObservable(result).toBe(expected, { x: 'ab' }, new Error('mine'));
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'two subscriptions share nothing',
    marbles(({ cold, time, expectObservable }) => {
      const result = cold('  -a-b-c|      ').pipe(batch({ maxWaitMs: time('---|'), maxCount: 3 }), joined);
      const late = '         --^----------';
      expectObservable(result).toBe('     ----x-(y|)   ', { x: 'ab', y: 'c' });
      expectObservable(result, late).toBe('------x-(y|) ', { x: 'ab', y: 'c' });
    }),
  );

  it('keeps order and limits when the consumer pushes the next element while it holds a batch', () => {
    const source = new Subject<string>();
    const got: string[] = [];
    source.pipe(batch({ maxBytes: 4, bytesOf: bySize }), joined).subscribe((text) => {
      got.push(text);
      if (text === 'aa') source.next('ccc');
    });
    source.next('aa');
    source.next('bbb');
    source.complete();
    // bbb came before ccc, and together they would be too large.
    expect(got).toEqual(['aa', 'bbb', 'ccc']);
  });

  it(
    'an element pushed while a batch goes out has a timer, too',
    marbles(({ cold, time, expectObservable }) => {
      const source = new Subject<string>();
      const wait = time('         ---|    ');
      const trigger = cold('    --a         ');
      const expected = '        --x--y      ';
      const result = source.pipe(
        batch({ maxWaitMs: wait, maxBytes: 2, bytesOf: bySize }),
        joined,
        tap((text) => {
          if (text === 'aa') source.next('b');
        }),
      );
      expectObservable(
        merge(
          result,
          trigger.pipe(
            tap(() => source.next('aa')),
            ignoreElements(),
          ),
        ),
      ).toBe(expected, {
        x: 'aa',
        y: 'b',
      });
    }),
  );

  it(
    'a batch that the consumer made full while it held the last one leaves no timer behind',
    marbles(({ cold, time, expectObservable }) => {
      const source = new Subject<string>();
      const wait = time('          ----|      ');
      const trigger = cold('     --a----b------');
      const expected = '         --(xy)-----z--';
      const fillUp = (): Observable<never> => {
        source.next('c');
        return EMPTY;
      };
      const result = source.pipe(
        batch({ maxWaitMs: wait, maxBytes: 3, bytesOf: bySize }),
        joined,
        mergeMap((text) => (text === 'aa' ? concat(of(text), defer(fillUp)) : of(text))),
      );
      const pushed = trigger.pipe(
        tap((letter) => (letter === 'a' ? ['aa', 'bb'] : ['d']).forEach((text) => source.next(text))),
        ignoreElements(),
      );
      expectObservable(merge(result, pushed)).toBe(expected, { x: 'aa', y: 'bbc', z: 'd' });
    }),
  );

  it('has one timer for a batch, however many elements, and without maxWaitMs none at all', () => {
    const waits: number[] = [];
    class Counting extends VirtualTimeScheduler {
      override schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S): Subscription {
        waits.push(delay);
        return super.schedule(work, delay, state);
      }
    }
    const run = (maxWaitMs: number | undefined): readonly number[] => {
      const source = new Subject<string>();
      const limits = { maxCount: 3, ...(maxWaitMs === undefined ? {} : { maxWaitMs }) };
      const subscription = source.pipe(batch(limits, new Counting())).subscribe();
      for (const element of 'abcdefgh') source.next(element);
      subscription.unsubscribe();
      return waits.splice(0);
    };
    expect(run(5)).toEqual([5, 5, 5]);
    expect(run(undefined)).toEqual([]);
  });

  it('takes a million synchronous elements', () => {
    let count = 0;
    range(0, 1e6)
      .pipe(batch({ maxCount: 7, maxWaitMs: 1000 }))
      .subscribe((elements) => (count += elements.length));
    expect(count).toBe(1e6);
  });

  it('has no timer but its scheduler', () => {
    const scheduler = new VirtualTimeScheduler();
    const got: unknown[] = [];
    const source = new Subject<string>();
    source.pipe(batch({ maxWaitMs: 5 }, scheduler), joined).subscribe((text) => got.push(text));
    source.next('a');
    expect(got).toEqual([]);
    scheduler.flush();
    expect(got).toEqual(['a']);
    expect(scheduler.frame).toBe(5);
  });

  it('passes an error of a synchronous source on once', () => {
    const seen: unknown[] = [];
    throwError(() => 'boom')
      .pipe(batch({ maxCount: 2 }))
      .subscribe({ next: (value) => seen.push(value), error: (error: unknown) => seen.push(error) });
    of(1, 2, 3)
      .pipe(batch({ maxCount: 2 }))
      .subscribe((value) => seen.push(value));
    expect(seen).toEqual(['boom', [1, 2], [3]]);
  });
});
