import { map, mergeMap, NEVER, of, tap } from 'rxjs';
import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { Batch, Lane } from '../../../src/model/batch.js';
import type { Demand, SourceContext } from '../../../src/model/source.js';
import { generatorSource } from '../../../src/sources/generator/generator-source.js';
import { generatedLine } from '../../../src/sources/generator/lines.js';
import type { GeneratorOptions } from '../../../src/sources/generator/options.js';

const options: GeneratorOptions = { rate: 10, seed: 7, format: 'delimited', anomaly: false, fields: { env: 'demo' } };

/** Grants everything at once. */
const generous: Demand = { reserve: () => of(undefined), adjust: () => {} };

const context: SourceContext = {
  isFirstStart: true,
  startDeadlineMs: 30_000,
  saved: new Map(),
  demand: generous,
  stop: NEVER,
  once: false,
  forget: () => {},
  report: () => {},
  behind: () => {},
  durable: NEVER,
  ended: () => {},
};

function marbles(test: (helpers: RunHelpers, scheduler: TestScheduler) => void): () => void {
  return () => {
    const scheduler = new TestScheduler((actual, expected) => {
      expect(actual).toEqual(expected);
    });
    scheduler.run((helpers) => {
      test(helpers, scheduler);
    });
  };
}

function laneOf(
  changes: Partial<GeneratorOptions>,
  changed: Partial<SourceContext>,
  scheduler: TestScheduler,
): Observable<Lane> {
  return generatorSource({ ...options, ...changes }, scheduler).open({ ...context, ...changed });
}

/** The batches, as the offsets of their first and last record: `3-5`. */
function rangesOf(...given: Parameters<typeof laneOf>): Observable<string> {
  return laneOf(...given).pipe(
    mergeMap(({ batches }) => batches),
    map(({ records }) => `${records[0]!.offset}-${records.at(-1)!.offset}`),
  );
}

function collect<T>(into: T[]): MonoTypeOperatorFunction<T> {
  return tap((value) => into.push(value));
}

describe('generatorSource', () => {
  it(
    'opens one lane and completes',
    marbles(({ expectObservable }, scheduler) => {
      const described = laneOf({}, {}, scheduler).pipe(
        map(({ id, position, state, fields }) => ({ id, position, state, fields })),
      );
      const lane = { id: 'generator:7:0', position: 0, state: { startedAt: 0, rate: 10 }, fields: { env: 'demo' } };
      expectObservable(described).toBe('(l|)', { l: lane });
    }),
  );

  it(
    'emits a record when it is due, and completes after count',
    marbles(({ expectObservable }, scheduler) => {
      const expected = '50ms a 49ms b 99ms (c|)';
      expectObservable(rangesOf({ count: 3 }, {}, scheduler)).toBe(expected, { a: '0-0', b: '1-1', c: '2-2' });
    }),
  );

  it(
    'emits what has become due, every tick, when it is fast',
    marbles(({ expectObservable }, scheduler) => {
      const expected = '50ms a 49ms b 49ms (c|)';
      const values = { a: '0-50', b: '51-100', c: '101-119' };
      expectObservable(rangesOf({ rate: 1000, count: 120 }, {}, scheduler)).toBe(expected, values);
    }),
  );

  it(
    'never puts more than 5000 records or 1 MiB into a batch',
    marbles(({ flush }, scheduler) => {
      const batches: Batch[] = [];
      const saved = new Map([['generator:7:0', { position: 0, state: { startedAt: -60_000, rate: 1000 } }]]);
      laneOf({ rate: 1000, count: 20_000 }, { saved }, scheduler)
        .pipe(
          mergeMap((lane) => lane.batches),
          collect(batches),
        )
        .subscribe();
      flush();
      expect(batches.at(-1)!.position).toBe(20_000);
      expect(Math.max(...batches.map(({ bytes }) => bytes))).toBeLessThanOrEqual(1_048_576);
      expect(Math.max(...batches.map(({ records }) => records.length))).toBeLessThanOrEqual(5000);
      expect(batches.flatMap(({ records }) => records.map(({ offset }) => offset))).toEqual([...Array(20_000).keys()]);
    }),
  );

  it(
    'once: everything without waiting, 1000 records when no count is given, the last one dated now',
    marbles(({ flush }, scheduler) => {
      const batches: Batch[] = [];
      laneOf({}, { once: true }, scheduler)
        .pipe(
          mergeMap((lane) => lane.batches),
          collect(batches),
        )
        .subscribe({ complete: () => expect(scheduler.now()).toBe(0) });
      flush();
      const records = batches.flatMap((batch) => batch.records);
      expect(records).toHaveLength(1000);
      expect(records.at(-1)!.text).toContain('1969-12-31T23:59:59.900Z');
    }),
  );

  it(
    'goes on at the saved position, with the lines it would have had',
    marbles(({ flush }, scheduler) => {
      const startedAt = Date.UTC(2026, 0, 1);
      const saved = new Map([['generator:7:0', { position: 40, state: { startedAt, rate: 10 } }]]);
      const batches: Batch[] = [];
      laneOf({ count: 60 }, { saved, once: true }, scheduler)
        .pipe(
          mergeMap((lane) => lane.batches),
          collect(batches),
        )
        .subscribe();
      flush();
      const style = { ...options, startedAt };
      const lines = Array.from({ length: 20 }, (_, n) => ({ offset: 40 + n, text: generatedLine(style, 40 + n) }));
      expect(batches.flatMap(({ records }) => records)).toEqual(lines);
      expect(batches.at(-1)).toMatchObject({ position: 60, state: { startedAt, rate: 10 } });
    }),
  );

  it(
    'makes up for the time it was away',
    marbles(({ expectObservable }, scheduler) => {
      const saved = new Map([['generator:7:0', { position: 5, state: { startedAt: -2000, rate: 10 } }]]);
      const expected = '50ms a 49ms (b|)';
      expectObservable(rangesOf({ count: 22 }, { saved }, scheduler)).toBe(expected, { a: '5-20', b: '21-21' });
    }),
  );

  it(
    'goes on from now after a long pause, under the id it had',
    marbles(({ expectObservable, flush }, scheduler) => {
      const saved = new Map([['generator:7:0', { position: 5, state: { startedAt: -60_000, rate: 10 } }]]);
      expectObservable(rangesOf({ count: 7 }, { saved }, scheduler)).toBe('50ms a 49ms (b|)', { a: '5-5', b: '6-6' });
      const ids: string[] = [];
      laneOf({ count: 7 }, { saved }, scheduler).subscribe(({ id }) => ids.push(id));
      flush();
      expect(ids).toEqual(['generator:7:0']);
    }),
  );

  it(
    'makes up for nothing when the rate has changed',
    marbles(({ expectObservable }, scheduler) => {
      const saved = new Map([['generator:7:0', { position: 50, state: { startedAt: -9_999_999, rate: 1 } }]]);
      expectObservable(rangesOf({ count: 52 }, { saved }, scheduler)).toBe('50ms a 49ms (b|)', {
        a: '50-50',
        b: '51-51',
      });
    }),
  );

  it(
    'completes at once when nothing is left, or the state cannot be understood and the count is reached',
    marbles(({ expectObservable }, scheduler) => {
      const saved = new Map([['generator:7:0', { position: 3, state: null }]]);
      expectObservable(rangesOf({ count: 3 }, { saved }, scheduler)).toBe('|');
      expectObservable(rangesOf({ count: 0 }, {}, scheduler)).toBe('|');
    }),
  );

  it(
    'stops between two batches, also while it waits for demand',
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const stop = cold('       120ms s');
      expectObservable(rangesOf({}, { stop }, scheduler)).toBe('50ms a 49ms b 19ms |', { a: '0-0', b: '1-1' });

      const never = cold('-', { r: undefined });
      const demand: Demand = { reserve: () => never, adjust: () => {} };
      expectObservable(rangesOf({}, { stop, demand }, scheduler)).toBe('120ms |');
      expectSubscriptions(never.subscriptions).toBe('50ms ^ 69ms !');
    }),
  );

  it(
    'reserves before it generates and catches up afterwards',
    marbles(({ cold, expectObservable }, scheduler) => {
      const demand: Demand = { reserve: () => cold('300ms (r|)', { r: undefined }), adjust: () => {} };
      const expected = '350ms a 349ms (b|)';
      expectObservable(rangesOf({ count: 5 }, { demand }, scheduler)).toBe(expected, { a: '0-0', b: '1-4' });
    }),
  );

  it(
    'holds exactly the bytes of its batches',
    marbles(({ flush }, scheduler) => {
      let reserved = 0;
      const count = (_: string, bytes: number): Observable<void> => {
        reserved += bytes;
        return of(undefined);
      };
      const demand: Demand = { reserve: count, adjust: (lane, bytes) => void count(lane, bytes) };
      const batches: Batch[] = [];
      laneOf({ count: 3000 }, { demand, once: true }, scheduler)
        .pipe(
          mergeMap((lane) => lane.batches),
          collect(batches),
        )
        .subscribe();
      flush();
      const records = batches.flatMap((batch) => batch.records);
      const memory = records.reduce((bytes, { text }) => bytes + Buffer.byteLength(text) + 256, 0);
      expect(batches.reduce((bytes, batch) => bytes + batch.bytes, 0)).toBe(memory);
      expect(reserved).toBe(memory);
    }),
  );

  it(
    'waits for a record that is due in more than a timer can hold',
    marbles(({ expectObservable }, scheduler) => {
      expectObservable(rangesOf({ rate: 1e-7 }, {}, scheduler), '- 3600s !').toBe('50ms a', { a: '0-0' });
    }),
  );
});
