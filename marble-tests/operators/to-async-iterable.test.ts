import { BehaviorSubject, concat, EMPTY, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { toAsyncIterable } from '../../src/operators/to-async-iterable.js';
import { withDemand } from '../../src/operators/with-demand.js';

// Promises do not move with a virtual clock, so these are not marbles.
async function collect<T>(iterable: AsyncIterable<T>): Promise<unknown[]> {
  const got: unknown[] = [];
  try {
    for await (const value of iterable) got.push(value);
  } catch (error) {
    got.push(['error', error]);
  }
  return got;
}

describe('toAsyncIterable', () => {
  it('basic, empty, error: values first, then the end', async () => {
    expect(await collect(toAsyncIterable(of('a', 'b'), { highWater: 2 }))).toEqual(['a', 'b']);
    expect(await collect(toAsyncIterable(EMPTY, { highWater: 1 }))).toEqual([]);
    const failing = concat(
      of('a'),
      throwError(() => 'boom'),
    );
    expect(await collect(toAsyncIterable(failing, { highWater: 1 }))).toEqual(['a', ['error', 'boom']]);
  });

  it('begins with the first next(); each loop is a subscription of its own', async () => {
    let lives = 0;
    const source = new Observable<number>((subscriber) => {
      subscriber.next(++lives);
      subscriber.complete();
    });
    const iterable = toAsyncIterable(source, { highWater: 1 });
    const unused = iterable[Symbol.asyncIterator]();
    expect(lives).toBe(0);
    expect(await collect(iterable)).toEqual([1]);
    expect(await collect(iterable)).toEqual([2]);
    await unused.return?.();
    expect(await unused.next()).toEqual({ done: true, value: undefined });
    expect(lives).toBe(2);
  });

  it('break unsubscribes, also during a next() that is on its way', async () => {
    const source = new Subject<number>();
    const iterator = toAsyncIterable(source, { highWater: 4 })[Symbol.asyncIterator]();
    const first = iterator.next();
    source.next(1);
    expect(await first).toEqual({ done: false, value: 1 });
    const pending = iterator.next();
    await iterator.return?.();
    expect(source.observed).toBe(false);
    expect(await pending).toEqual({ done: true, value: undefined });
    source.next(2);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('several next() on their way are served in order; an error goes to the first, the end to the others', async () => {
    const source = new Subject<number>();
    const iterator = toAsyncIterable(source, { highWater: 4 })[Symbol.asyncIterator]();
    const calls = [iterator.next(), iterator.next(), iterator.next()];
    source.next(1);
    source.error('boom');
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: { done: false, value: 1 } },
      { status: 'rejected', reason: 'boom' },
      { status: 'fulfilled', value: { done: true, value: undefined } },
    ]);
  });

  it.each([
    ['dropOldest', [3, 4]],
    ['dropNewest', [1, 2]],
    ['error', [1, 2, ['error', new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', '2 are waiting')]]],
  ] as const)('above the high-water mark, %s', async (overflow, expected) => {
    const source = new Subject<number>();
    const iterator = toAsyncIterable(source, { highWater: 2, overflow })[Symbol.asyncIterator]();
    const first = iterator.next();
    for (const value of [0, 1, 2, 3, 4]) source.next(value);
    source.complete();
    expect(await first).toEqual({ done: false, value: 0 });
    expect(await collect({ [Symbol.asyncIterator]: () => iterator })).toEqual(expected);
    expect(source.observed).toBe(false);
  });

  it('with a source that honours its requests nothing overflows: a hundred thousand values, few at a time', async () => {
    const credit = new BehaviorSubject(0);
    let asked = 0;
    let pushed = 0;
    let most = 0;
    let taken = 0;
    // Gives what it is asked for, at once.
    const source = new Observable<number>((subscriber) => {
      const subscription = credit.subscribe(() => {
        while (pushed < asked && pushed < 1e5) {
          pushed++;
          most = Math.max(most, pushed - taken);
          subscriber.next(pushed);
        }
        if (pushed === 1e5) subscriber.complete();
      });
      return subscription;
    });
    const request = (count: number): void => {
      asked += count;
      credit.next(count);
    };
    for await (const value of toAsyncIterable(source, { highWater: 16, request })) taken = value;
    expect(taken).toBe(1e5);
    expect(most).toBeLessThanOrEqual(17);
  });

  it('its requests are the demand of the pack', async () => {
    const credit = new Subject<number>();
    const requests: number[] = [];
    const request = (count: number): void => {
      requests.push(count);
      credit.next(count);
    };
    const source = new Subject<number>();
    const iterator = toAsyncIterable(source.pipe(withDemand(credit)), { highWater: 4, request })[
      Symbol.asyncIterator
    ]();
    const first = iterator.next();
    for (const value of [1, 2, 3, 4]) source.next(value);
    expect((await first).value).toBe(1);
    await iterator.next();
    expect(requests).toEqual([4, 2]);
    await iterator.return?.();
  });

  it('stops a synchronous source when the loop has ended, and waits for ever on one that is silent', async () => {
    let produced = 0;
    const source = new Observable<number>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(produced++);
    });
    expect(await collect(toAsyncIterable(source, { highWater: 3 }))).toHaveLength(4);
    expect(produced).toBe(4);
    const iterator = toAsyncIterable(NEVER, { highWater: 1 })[Symbol.asyncIterator]();
    const silent = await Promise.race([iterator.next(), new Promise((done) => setTimeout(done, 20, 'silent'))]);
    expect(silent).toBe('silent');
    await iterator.return?.();
  });

  it('needs room for one value', () => {
    expect(() => toAsyncIterable(NEVER, { highWater: 0 })).toThrow('highWater is 0');
  });
});
