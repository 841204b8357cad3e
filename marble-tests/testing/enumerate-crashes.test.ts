import { concat, concatMap, defer, delay, EMPTY, filter, map, merge, of, take, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/model/event.js';
import type { Delivery, Receipt, Sink } from '../../src/model/sink.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import { keep } from '../../src/operators/keep.js';
import { parse } from '../../src/operators/parse.js';
import { eventLines } from '../../src/service/line-codecs.js';
import { batchOf, enumerateCrashes, fakeSource, receiptFor, resourceOf } from '../../src/testing/index.js';
import type { CrashTrial, Life } from '../../src/testing/index.js';

const lanes = { a: ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'], b: ['b0', 'b1', 'b2', 'b3', 'b4'] };
const all = Object.values(lanes).flat();

type Table = Map<string, string>;
type Insert = (items: readonly LogEvent[]) => void;

/** A trial of a sink that somebody wrote for a table. */
function trialOf(
  sinkOf: (life: Life<Table>, insert: Insert) => Sink,
  more: Partial<CrashTrial<Table>> = {},
): CrashTrial<Table> {
  return {
    lanes,
    world: () => new Map(),
    pipeline: (life) => {
      const insert: Insert = (items) => {
        for (const event of items) life.world.set(event.id, String(event.get('message')));
      };
      return { routes: [{ name: 'table', stages: [], to: [resourceOf(sinkOf(life, insert))] }] };
    },
    outcome: (table) => [...table.values()],
    promise: 'exactlyOnce',
    orderedBy: (line) => line[0],
    ...more,
  };
}

const answered = (delivery: Delivery, act: () => void): Receipt => {
  act();
  return receiptFor(delivery);
};

const honest = ({ call }: Life<Table>, insert: Insert): Sink => ({
  deliver: (delivery) => call('insert', () => answered(delivery, () => insert(delivery.items))),
});

describe('enumerateCrashes', () => {
  it('passes a sink that answers when it has what it took, and says what was tried', () => {
    const { runs, crashes, outcome } = enumerateCrashes(trialOf(honest));
    expect([...outcome].sort()).toEqual(all);
    expect(runs).toBe(201);
    expect(crashes).toBeGreaterThan(runs);
  });

  it('is the same each time, and otherwise with another seed', () => {
    const crashesOf = (seed: number): number => enumerateCrashes(trialOf(honest, { seed, crashRuns: 40 })).crashes;
    const crashes = [1, 2, 3, 4].map(crashesOf);
    expect([1, 2, 3, 4].map(crashesOf)).toEqual(crashes);
    expect(new Set(crashes).size).toBeGreaterThan(1);
  });

  it('finds a sink that acknowledges too early', () => {
    const early = ({ call, clock }: Life<Table>, insert: Insert): Sink => ({
      deliver: (delivery) => {
        timer(5, clock)
          .pipe(concatMap(() => call('insert', () => insert(delivery.items))))
          .subscribe();
        return of(receiptFor(delivery));
      },
    });
    expect(() => enumerateCrashes(trialOf(early, { expected: all }))).toThrow(/lost: [ab]\d/);
  });

  it('finds a sink that acknowledges what is in a buffer, also when without a crash all goes well', () => {
    const buffering = ({ call, clock }: Life<Table>, insert: Insert): Sink => {
      let buffer: LogEvent[] = [];
      const flush = defer(() => {
        const full = buffer;
        buffer = [];
        return call('insert', () => insert(full));
      });
      return {
        deliver: (delivery) => {
          buffer.push(...delivery.items);
          const answer = of(receiptFor(delivery));
          return buffer.length < 5 ? answer.pipe(delay(1, clock)) : flush.pipe(concatMap(() => answer));
        },
        // The end of a run comes after it; a crash does not.
        finish: () => flush.pipe(concatMap(() => EMPTY)),
      };
    };
    expect(() => enumerateCrashes(trialOf(buffering))).toThrow(
      /^lost: [ab]\d[^]*crash at call \d+[^]*the last calls before it:[^]*insert/,
    );
  });

  it('finds what comes twice against the promise, and lets it pass where it is allowed', () => {
    const appending = (promise: 'exactlyOnce' | 'atLeastOnce'): CrashTrial<string[]> => ({
      lanes,
      world: () => [],
      pipeline: ({ world, call }) => {
        const sink: Sink = {
          deliver: (delivery) =>
            call('append', () =>
              answered(delivery, () => world.push(...delivery.items.map((event) => String(event.get('message'))))),
            ),
        };
        return { routes: [{ name: 'list', stages: [], to: [resourceOf(sink)] }] };
      },
      outcome: (list) => list,
      promise,
      orderedBy: (line) => line[0],
    });
    expect(() => enumerateCrashes(appending('exactlyOnce'))).toThrow(/\d times instead of 1: [ab]\d/);
    expect(enumerateCrashes(appending('atLeastOnce')).crashes).toBeGreaterThan(200);
  });

  it('finds a write of which a part was done', () => {
    const torn = ({ call }: Life<Table>, insert: Insert): Sink => ({
      deliver: (delivery) =>
        call(
          'insert',
          () => answered(delivery, () => insert(delivery.items)),
          () => insert(delivery.items.slice(0, 1)),
        ),
    });
    // By id, so that half a write does no harm; without ids it does.
    expect(enumerateCrashes(trialOf(torn)).crashes).toBeGreaterThan(200);
    const byCount = trialOf(({ call, world }) => ({
      deliver: (delivery) =>
        call(
          'insert',
          () => answered(delivery, () => delivery.items.forEach((event) => world.set(`${world.size}`, event.id))),
          () => world.set(`${world.size}`, 'half'),
        ),
    }));
    expect(() => enumerateCrashes({ ...byCount, promise: 'atLeastOnce' })).toThrow('never written: half');
  });

  it('finds what is out of order', () => {
    const backwards = trialOf(({ call }, insert) => ({
      deliver: (delivery) => call('insert', () => answered(delivery, () => insert([...delivery.items].reverse()))),
    }));
    expect(() => enumerateCrashes({ ...backwards, expected: all })).toThrow('out of order: a2');
  });

  it('finds a receipt that does not add up', () => {
    const generous = trialOf(({ call }, insert) => ({
      deliver: (delivery) =>
        call('insert', () => ({ ...answered(delivery, () => insert(delivery.items)), duplicates: 1 })),
    }));
    expect(() => enumerateCrashes(generous)).toThrow('the ledger is not exact');
  });

  it('stops pipelines as well: finds a source that then skips what it has not read', () => {
    const skipping = (isSkipping: boolean): CrashTrial<Table> => {
      const trial = trialOf(honest);
      const pipeline: CrashTrial<Table>['pipeline'] = (life) => ({
        ...trial.pipeline(life),
        source: {
          open: (context) =>
            fakeSource(life.files, { lanes })
              .open(context)
              .pipe(
                map((lane) => {
                  const last = { ...batchOf([]), position: 99 };
                  const stopped = merge(context.stop.pipe(map(() => last)), of(undefined)).pipe(
                    take(1),
                    filter((batch) => batch !== undefined && isSkipping),
                    map(() => last),
                  );
                  return { ...lane, batches: concat(lane.batches, stopped) };
                }),
              ),
        },
      });
      return { ...trial, pipeline };
    };
    expect(enumerateCrashes(skipping(false)).runs).toBe(201);
    expect(() => enumerateCrashes(skipping(true))).toThrow(/lost: [ab]\d/);
  });

  it('says so when a pipeline fails, never ends, or nothing comes out of it', () => {
    const broken = trialOf(() => ({
      deliver: () => {
        throw new Error('mine');
      },
    }));
    expect(() => enumerateCrashes(broken)).toThrow(/the pipeline ended with an error[^]*without a crash/);
    const silent = trialOf(() => ({ deliver: () => new Promise(() => {}) as never }));
    expect(() => enumerateCrashes(silent)).toThrow('not done after 24 hours of virtual time');
    expect(() => enumerateCrashes({ ...trialOf(honest), outcome: () => [] })).toThrow('nothing comes out');
  });

  it('runs stages, routes and sinks on the fake disk: the file sink writes each line once', () => {
    const report = enumerateCrashes({
      lanes: { l: ['ERROR|one', 'INFO|two', 'ERROR|three', 'ERROR|four', 'no line', 'ERROR|five', 'WARN|six'] },
      world: () => undefined,
      pipeline: ({ files, clock }) => ({
        stages: [
          parse({ format: 'delimited', separator: '|', fields: ['level', 'message'] }),
          keep({ level: ['ERROR'] }),
        ],
        routes: [
          {
            name: 'out',
            stages: [],
            to: [fileSink({ path: '/out', files, rotate: undefined, gzip: undefined }, eventLines('raw'), clock)],
          },
        ],
      }),
      outcome: (_, disk) => disk.text('/out').split('\n').slice(0, -1),
      promise: 'exactlyOnce',
      orderedBy: () => '',
    });
    expect(report.outcome).toEqual(['one', 'three', 'four', 'five']);
    expect(report.crashes).toBeGreaterThan(200);
  });
});
