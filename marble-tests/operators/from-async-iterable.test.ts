import { concat, firstValueFrom, NEVER, of, Subject, take, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { fromAsyncIterable } from '../../src/operators/from-async-iterable.js';

/** An iterator whose `next()` is answered by the test, and that tells what is called. */
function scripted(): {
  iterable: AsyncIterable<string>;
  calls: string[];
  answer(result: IteratorResult<string, undefined>): Promise<void>;
} {
  const calls: string[] = [];
  let resolve: ((result: IteratorResult<string, undefined>) => void) | undefined;
  const iterator: AsyncIterator<string, undefined> = {
    next: () => {
      calls.push('next');
      return new Promise((done) => (resolve = done));
    },
    return: async () => {
      calls.push('return');
      return { done: true, value: undefined };
    },
  };
  const answer = async (result: IteratorResult<string, undefined>): Promise<void> => {
    resolve?.(result);
    await settled();
  };
  return { iterable: { [Symbol.asyncIterator]: () => iterator }, calls, answer };
}

function settled(): Promise<void> {
  return new Promise((done) => setTimeout(done, 0));
}

async function* numbers(end: number): AsyncGenerator<number> {
  for (let n = 1; n <= end; n++) yield n;
}

function all<T>(source: Observable<T>): Promise<T[]> {
  return firstValueFrom(source.pipe(toArray()));
}

describe('fromAsyncIterable', () => {
  it('basic, empty, error', async () => {
    expect(await all(fromAsyncIterable(numbers(3)))).toEqual([1, 2, 3]);
    expect(await all(fromAsyncIterable(numbers(0)))).toEqual([]);
    const failing = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error('boom');
    };
    const got: unknown[] = [];
    await new Promise<void>((done) => {
      fromAsyncIterable(failing()).subscribe({
        next: (value) => got.push(value),
        error: (error: unknown) => {
          got.push(error);
          done();
        },
      });
    });
    expect(got).toEqual([1, new Error('boom')]);
  });

  it('calls next() only with credit, and never twice at a time', async () => {
    const { iterable, calls, answer } = scripted();
    const demand = new Subject<number>();
    const got: string[] = [];
    const subscription = fromAsyncIterable(iterable, { demand }).subscribe((value) => got.push(value));
    await settled();
    expect(calls).toEqual([]);
    demand.next(1);
    demand.next(1);
    expect(calls).toEqual(['next']);
    await answer({ done: false, value: 'a' });
    expect(calls).toEqual(['next', 'next']);
    await answer({ done: false, value: 'b' });
    expect(calls).toEqual(['next', 'next']);
    expect(got).toEqual(['a', 'b']);
    subscription.unsubscribe();
    expect(calls).toEqual(['next', 'next', 'return']);
  });

  it('calls return() at once on unsubscribe, also while a next() is on its way; its value is not emitted', async () => {
    const { iterable, calls, answer } = scripted();
    const got: string[] = [];
    const subscription = fromAsyncIterable(iterable).subscribe((value) => got.push(value));
    expect(calls).toEqual(['next']);
    subscription.unsubscribe();
    expect(calls).toEqual(['next', 'return']);
    await answer({ done: false, value: 'late' });
    expect(got).toEqual([]);
    expect(calls).toEqual(['next', 'return']);
  });

  it('does not call return() when the iterator has ended by itself', async () => {
    const { iterable, calls, answer } = scripted();
    let isComplete = false;
    fromAsyncIterable(iterable).subscribe({ complete: () => (isComplete = true) });
    await answer({ done: true, value: undefined });
    expect(isComplete).toBe(true);
    expect(calls).toEqual(['next']);
  });

  it('take ends the generator: its finally runs', async () => {
    let isClosed = false;
    const source = async function* (): AsyncGenerator<number> {
      try {
        for (let n = 1; ; n++) yield n;
      } finally {
        isClosed = true;
      }
    };
    expect(await all(fromAsyncIterable(source()).pipe(take(2)))).toEqual([1, 2]);
    await settled();
    expect(isClosed).toBe(true);
  });

  it('a demand that has completed and is used up is the end, and closes the iterator', async () => {
    const { iterable, calls, answer } = scripted();
    let isComplete = false;
    fromAsyncIterable(iterable, { demand: of(1) }).subscribe({ complete: () => (isComplete = true) });
    await answer({ done: false, value: 'a' });
    expect(isComplete).toBe(true);
    expect(calls).toEqual(['next', 'return']);
  });

  it.each([0, -1, 1.5])('a credit of %d is an error', (count) => {
    const ends: unknown[] = [];
    const demand = concat(of(count), NEVER);
    fromAsyncIterable(numbers(3), { demand }).subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual([new MillraceError('MILLRACE_E_OPERATOR_DEMAND', String(count))]);
  });

  it('a throw in next(), return() or the iterable itself is heard of', async () => {
    const throwing = (): never => {
      throw new Error('mine');
    };
    const ends: unknown[] = [];
    const note = (error: unknown): number => ends.push(error);
    fromAsyncIterable({ [Symbol.asyncIterator]: throwing }).subscribe({ error: note });
    fromAsyncIterable({ [Symbol.asyncIterator]: () => ({ next: throwing }) }).subscribe({ error: note });
    const silent = { next: () => new Promise<never>(() => undefined), return: throwing };
    fromAsyncIterable({ [Symbol.asyncIterator]: () => silent }, { onReturnError: note })
      .subscribe()
      .unsubscribe();
    await settled();
    expect(ends).toEqual([new Error('mine'), new Error('mine'), new Error('mine')]);
  });

  it('a hundred thousand values do not deepen the stack', async () => {
    const got = await all(fromAsyncIterable(numbers(1e5)));
    expect(got).toHaveLength(1e5);
    expect(got.at(-1)).toBe(1e5);
  });
});
