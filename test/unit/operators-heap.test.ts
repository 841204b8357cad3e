import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { concat, EMPTY, map, mergeAll, mergeMap, NEVER, Observable, of, throwError } from 'rxjs';
import type { OperatorFunction, Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  batch,
  Circuit,
  circuitBreaker,
  countWindow,
  deadLetter,
  distinctWithin,
  fallbackEach,
  fallbackTo,
  groupByTtl,
  joinAll,
  mergeMapBounded,
  mirror,
  onBackpressureBuffer,
  onBackpressureLatest,
  onErrorReturnItem,
  orderedMergeMap,
  rateWindow,
  recoverOrTerminate,
  retryBackoff,
  route,
  semaphore,
  sessionWindow,
  slidingWindow,
  slidingWindowLimit,
  throttleByKey,
  timeoutEach,
  toAsyncIterable,
  tumblingWindow,
  withWatermark,
} from '../../src/index.js';
import type { Reducer } from '../../src/index.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

class Value {
  readonly weight = new Array<number>(100).fill(0);
}

const stuck = { concurrency: 1 };
const unlimited = concat(of(Infinity), NEVER);

/** A reducer that holds what it was given. */
const all: Reducer<Value, readonly Value[], number> = {
  create: () => [],
  add: (values, value) => [...values, value],
  merge: (one, other) => [...one, ...other],
  result: (values) => values.length,
};
const inTime = withWatermark<Value>({ timeOf: () => 5 });

/** Operators in a state in which they hold values: full buffers, waiting queues, open windows, running calls. */
const holding: Readonly<Record<string, () => OperatorFunction<Value, unknown>>> = {
  batch: () => batch({ maxCount: 100, maxWaitMs: 60_000 }),
  circuitBreaker: () => circuitBreaker(new Circuit()),
  countWindow: () => countWindow({ count: 100, reducer: all }),
  deadLetter: () => deadLetter(() => NEVER, { next: () => undefined }),
  distinctWithin: () => distinctWithin({ ttlMs: 60_000, maxKeys: 100 }),
  fallbackEach: () =>
    fallbackEach(
      () => throwError(() => 'boom'),
      () => NEVER,
      stuck,
    ),
  fallbackTo: () => fallbackTo(() => EMPTY),
  groupByTtl: () => (source) =>
    source.pipe(
      groupByTtl((value) => value, { maxKeys: 5, idleMs: 60_000 }),
      mergeAll(),
    ),
  joinAll: () => (source) => joinAll([source, NEVER]),
  mergeMapBounded: () => mergeMapBounded(() => NEVER, stuck),
  mirror: () => mirror({ ratio: 1, to: () => NEVER, maxMs: 10 }),
  onBackpressureBuffer: () => onBackpressureBuffer(NEVER, { max: 100 }),
  onBackpressureLatest: () => onBackpressureLatest(NEVER),
  onErrorReturnItem: () => onErrorReturnItem(0),
  orderedMergeMap: () => orderedMergeMap((value, at) => (at === 0 ? NEVER : of(value)), { concurrency: 5 }),
  rateWindow: () => rateWindow({ everyMs: 60_000 }),
  recoverOrTerminate: () =>
    recoverOrTerminate({ recoverable: () => true, degrade: () => EMPTY, notify: () => undefined }),
  retryBackoff: () => retryBackoff({}),
  route: () => route([{ when: () => true, through: mergeMap(() => NEVER) }]),
  semaphore: () => (source) =>
    source.pipe(
      map((value) => concat(of(value), NEVER)),
      semaphore(1),
    ),
  sessionWindow: () => (source) => source.pipe(inTime, sessionWindow({ gapMs: 10, reducer: all })),
  slidingWindow: () => (source) => source.pipe(inTime, slidingWindow({ sizeMs: 10, slideMs: 5, reducer: all })),
  slidingWindowLimit: () => slidingWindowLimit({ max: 1, perMs: 60_000, mode: 'delay' }),
  throttleByKey: () => throttleByKey({ key: (value) => value, perMs: 60_000, maxKeys: 100 }),
  toAsyncIterable: () => (source) =>
    new Observable((subscriber) => {
      const loop = toAsyncIterable(source, { highWater: 100 })[Symbol.asyncIterator]();
      void loop.next().then(() => subscriber.next(undefined));
      return () => void loop.return?.();
    }),
  tumblingWindow: () => (source) => source.pipe(inTime, tumblingWindow({ sizeMs: 10, reducer: all })),
  withWatermark: () => inTime,
  timeoutEach: () => timeoutEach(() => NEVER, { ...stuck, maxMs: 60_000 }),
};

/** A source of ten values that the test can only see weakly; it stays open, or ends. */
function source(seen: WeakRef<Value>[], isEndless: boolean): Observable<Value> {
  return new Observable((subscriber) => {
    for (let n = 0; n < 10; n++) {
      const value = new Value();
      seen.push(new WeakRef(value));
      subscriber.next(value);
    }
    if (!isEndless) subscriber.complete();
  });
}

async function alive(seen: readonly WeakRef<Value>[]): Promise<number> {
  // A WeakRef that was read is kept until the task ends; and some collections need a second one.
  for (let round = 0; round < 5; round++) {
    await new Promise((done) => setTimeout(done, 5));
    collectGarbage();
  }
  return seen.filter((value) => value.deref() !== undefined).length;
}

/** Subscribed in a function of its own, so that no local variable of the test holds a value. */
function start(operator: OperatorFunction<Value, unknown>, seen: WeakRef<Value>[], isEndless: boolean): Subscription {
  return source(seen, isEndless)
    .pipe(operator)
    .subscribe({ error: () => undefined });
}

describe('after unsubscription nothing is kept', () => {
  it.each(Object.entries(holding))('%s', async (_, operator) => {
    const seen: WeakRef<Value>[] = [];
    const subscription = start(operator(), seen, true);
    subscription.unsubscribe();
    expect(seen).toHaveLength(10);
    // The subscription itself is still held here.
    expect(await alive(seen)).toBe(0);
    expect(subscription.closed).toBe(true);
  });
});

/** Ends with its source, whatever it holds. */
const ending: Readonly<Record<string, () => OperatorFunction<Value, unknown>>> = {
  ...Object.fromEntries(
    [
      ...[
        'batch',
        'circuitBreaker',
        'countWindow',
        'distinctWithin',
        'fallbackTo',
        'groupByTtl',
        'mirror',
        'rateWindow',
      ],
      ...['sessionWindow', 'slidingWindow', 'tumblingWindow', 'withWatermark'],
    ].map((name) => [name, holding[name]!]),
  ),
  mergeMapBounded: () => mergeMapBounded((value) => of(value), stuck),
  onBackpressureBuffer: () => onBackpressureBuffer(unlimited, { max: 100 }),
  orderedMergeMap: () => orderedMergeMap((value) => of(value), stuck),
  throttleByKey: holding['throttleByKey']!,
};

describe('after completion nothing is kept', () => {
  it.each(Object.entries(ending))('%s', async (_, operator) => {
    const seen: WeakRef<Value>[] = [];
    const subscription = start(operator(), seen, false);
    expect(subscription.closed).toBe(true);
    // A mirror may go on sending for a while.
    await new Promise((done) => setTimeout(done, 30));
    expect(await alive(seen)).toBe(0);
  });
});

describe('the measurement', () => {
  it('sees what is kept', async () => {
    const seen: WeakRef<Value>[] = [];
    const subscription = start(onBackpressureBuffer(NEVER, { max: 100 }), seen, true);
    expect(await alive(seen)).toBe(10);
    subscription.unsubscribe();
  });
});
