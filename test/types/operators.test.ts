import { firstValueFrom, map, of, Subject } from 'rxjs';
import type { GroupedObservable, Observable } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  alertState,
  batch,
  Circuit,
  circuitBreaker,
  countOf,
  countWindow,
  deadLetter,
  distinctWithin,
  dynamicThreshold,
  fallbackEach,
  fallbackTo,
  fromAsyncIterable,
  groupByTtl,
  joinAll,
  joinLines,
  maxOf,
  meanOf,
  mergeMapBounded,
  mirror,
  movingStats,
  onBackpressureBuffer,
  onErrorReturnItem,
  orderedMergeMap,
  rateWindow,
  recoverOrTerminate,
  retryBackoff,
  route,
  sampleRatio,
  semaphore,
  sessionWindow,
  slidingWindow,
  slidingWindowLimit,
  sumOf,
  throttleByKey,
  timeoutEach,
  toAsyncIterable,
  tumblingWindow,
  withDemand,
  withWatermark,
} from '../../src/index.js';
import type { Rate, SessionResult } from '../../src/index.js';

interface Order {
  readonly id: number;
  readonly text: string;
}

const order$: Observable<Order> = of({ id: 1, text: 'one' });

// Checked by the compiler (npm run check); what runs is there so that the types are those of something that works.
describe('types', () => {
  it('are inferred through twelve operators (RxJS types nine to a pipe): no annotation, no any', async () => {
    const result$ = order$
      .pipe(
        retryBackoff({ maxTriesInARow: 2 }),
        distinctWithin({ key: (order) => order.id, ttlMs: 1000, maxKeys: 10 }),
        throttleByKey({ key: (order) => order.text, perMs: 1000, maxKeys: 10 }),
        sampleRatio(1, (order) => order.text),
        mirror({ to: (order) => of(order.id) }),
        slidingWindowLimit({ max: 10, perMs: 1000, mode: 'drop', onDrop: (order) => order.id }),
        mergeMapBounded((order) => of(order.id), { concurrency: 2 }),
        orderedMergeMap((id) => of(`${id}`), { concurrency: 2 }),
        timeoutEach((text) => [text.length], { maxMs: 1000, concurrency: 1 }),
      )
      .pipe(
        onErrorReturnItem(null),
        batch({ maxCount: 2 }),
        map((lengths) => lengths.map((length) => length ?? 0)),
      );
    expectTypeOf(result$).toEqualTypeOf<Observable<number[]>>();
    expect(await firstValueFrom(result$)).toEqual([1]);
  });

  it('of what takes the place of a value or an error are in the result', () => {
    const text$ = order$.pipe(map(({ text }) => text));
    expectTypeOf(order$.pipe(fallbackTo(() => of('x')))).toEqualTypeOf<Observable<Order | string>>();
    expectTypeOf(order$.pipe(onErrorReturnItem(0))).toEqualTypeOf<Observable<Order | number>>();
    expectTypeOf(
      order$.pipe(
        fallbackEach(
          ({ id }) => of(id),
          (_, { text }) => of(text),
          { concurrency: 1 },
        ),
      ),
    ).toEqualTypeOf<Observable<number | string>>();
    expectTypeOf(
      order$.pipe(timeoutEach(({ id }) => of(id), { maxMs: 1, concurrency: 1, instead: ({ text }) => of(text) })),
    ).toEqualTypeOf<Observable<number | string>>();
    expectTypeOf(order$.pipe(timeoutEach(({ id }) => of(id), { maxMs: 1, concurrency: 1 }))).toEqualTypeOf<
      Observable<number>
    >();
    expectTypeOf(
      order$.pipe(recoverOrTerminate({ recoverable: () => true, degrade: () => of('x'), notify: () => undefined })),
    ).toEqualTypeOf<Observable<Order | string>>();
    expectTypeOf(text$.pipe(joinLines({ start: /x/ }))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(text$.pipe(route([{ when: (text) => text === '', through: map(() => 1) }]))).toEqualTypeOf<
      Observable<string | number>
    >();
  });

  it('of groups, windows, permits, sides and lists', () => {
    expectTypeOf(order$.pipe(groupByTtl(({ id }) => id, { maxKeys: 1, idleMs: 1 }))).toEqualTypeOf<
      Observable<GroupedObservable<number, Order>>
    >();
    expectTypeOf(order$.pipe(rateWindow({ everyMs: 1000 }))).toEqualTypeOf<Observable<Rate>>();
    expectTypeOf(
      order$.pipe(
        map(({ id }) => of(id)),
        semaphore(1),
      ),
    ).toEqualTypeOf<Observable<number>>();
    expectTypeOf(order$.pipe(withDemand(of(1)), onBackpressureBuffer(of(1), { max: 1 }))).toEqualTypeOf<
      Observable<Order>
    >();
    expectTypeOf(order$.pipe(circuitBreaker(new Circuit()))).toEqualTypeOf<Observable<Order>>();
    const side = new Subject<{ value: Order; error: unknown }>();
    expectTypeOf(order$.pipe(deadLetter(({ id }) => of(id), side))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(joinAll([of(1), Promise.resolve('a')])).toEqualTypeOf<
      Observable<[number | undefined, string | undefined]>
    >();
    expectTypeOf(toAsyncIterable(order$, { highWater: 1 })).toEqualTypeOf<AsyncIterable<Order>>();
    const numbers = toAsyncIterable(of(1), { highWater: 1 });
    expectTypeOf(fromAsyncIterable(numbers)).toEqualTypeOf<Observable<number>>();
  });

  it('of event time and detection: keys, accumulators and results, without an annotation', async () => {
    const transition$ = order$.pipe(
      withWatermark({ timeOf: (order) => order.id }),
      tumblingWindow({ sizeMs: 10, keyOf: (order) => order.id, reducer: meanOf((order) => order.text.length) }),
      movingStats({ valueOf: (window) => window.value, keyOf: (window) => window.key, maxCount: 3 }),
      dynamicThreshold({ valueOf: (moving) => moving.stats.mean, keyOf: (moving) => moving.key }),
      alertState({
        rule: 'r',
        keyOf: (judged) => judged.key,
        timeOf: (judged) => judged.element.element.endMs,
        breaches: (judged) => !judged.isBreach,
      }),
    );
    const { key, to, element } = await firstValueFrom(transition$);
    expectTypeOf(key).toEqualTypeOf<number>();
    expectTypeOf(element.element.element.value).toEqualTypeOf<number>();
    expect([key, to]).toEqual([1, 'alerting']);
    const watermarked$ = order$.pipe(withWatermark({ timeOf: (order) => order.id }));
    const session$ = watermarked$.pipe(sessionWindow({ gapMs: 1, reducer: countOf() }));
    expectTypeOf(session$).toEqualTypeOf<Observable<SessionResult<string, number>>>();
    const count$ = order$.pipe(countWindow({ count: 1, reducer: maxOf((order) => order.id) }));
    expectTypeOf(await firstValueFrom(count$.pipe(map(({ value }) => value)))).toEqualTypeOf<number>();
    const sliding$ = watermarked$.pipe(slidingWindow({ sizeMs: 2, slideMs: 1, reducer: sumOf((order) => order.id) }));
    expectTypeOf(await firstValueFrom(sliding$.pipe(map(({ value }) => value)))).toEqualTypeOf<number>();
  });

  it('refuse what cannot work', () => {
    // @ts-expect-error -- concurrency is needed: nothing runs unbounded
    const unbounded = (): unknown => mergeMapBounded((n: number) => of(n), {});
    // @ts-expect-error -- a window needs an end for its keys
    const endless = (): unknown => distinctWithin({ ttlMs: 1 });
    // @ts-expect-error -- there is no such mode
    const odd = (): unknown => slidingWindowLimit({ max: 1, perMs: 1, mode: 'wait' });
    for (const each of [unbounded, endless]) expect(each).toThrow();
    expect(odd).not.toThrow();
  });
});
