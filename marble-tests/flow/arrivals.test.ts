import { concat, EMPTY, map, NEVER, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { dated } from '../../src/flow/arrivals.js';
import type { ArrivalsConfig } from '../../src/flow/arrivals.js';
import type { Arrival } from '../../src/model/arrival.js';
import type { Batch, Lane } from '../../src/model/batch.js';
import { arrivedMs } from '../../src/model/event.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';
import { marbles } from '../marbles.js';

const outcome = { filtered: () => {}, rejected: () => {}, expanded: () => {} };

/** Marks in memory: `save` says how long it takes until they are durable. */
class Marks {
  readonly saved: string[] = [];
  #marks: readonly Arrival[];
  readonly #save: Observable<never>;

  constructor(marks: readonly Arrival[] = [], save: Observable<never> = EMPTY) {
    this.#marks = marks;
    this.#save = save;
  }

  arrivalsOf(): readonly Arrival[] {
    return this.#marks;
  }

  arrived(_lane: string, marks: readonly Arrival[]): Observable<never> {
    this.#marks = marks;
    this.saved.push(marks.map(({ position, timeMs }) => `${position}@${timeMs}`).join(' '));
    return this.#save;
  }
}

const byMinute = (checkpointer: Marks): ArrivalsConfig => ({ checkpointer, everyMs: 60_000 });

/** A batch of a record: `a` is at 0 and ends at 1. */
function recordAt(letter: string): Batch {
  return batchOf(letter, letter.charCodeAt(0) - 97);
}

/** `0@20`: the record at 0 came in at 20. */
const times = map(({ records, arrivals }: Batch) =>
  records
    .map((record) => `${record.offset}@${arrivedMs({ incarnation: 'l', fields: {}, outcome, arrivals }, record)}`)
    .join(' '),
);

function lane(from: Partial<Lane>): Lane {
  return { ...laneOf('l', NEVER), unreadFrom: 0, ...from };
}

describe('records that do not say when they came in', () => {
  it(
    'are dated by a mark that is durable before they are delivered, and stands for a minute',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('  --a-b 59995ms c 3ms d---|').pipe(map(recordAt));
      const marks = new Marks([], cold<never>('-|'));
      const expected = '      ---uv 59995ms w 4ms x--|';
      const seen = batches.pipe(dated(lane({}), byMinute(marks), scheduler), times);
      expectObservable(seen).toBe(expected, { u: '0@2', v: '1@2', w: '2@2', x: '3@60004' });
      flush();
      expect(marks.saved).toEqual(['0@2', '0@2 3@60004']);
    }),
  );

  it(
    'keep their time in the next run: its first mark begins where no earlier run can have read',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('  70s b-c-d-e|').pipe(map(recordAt));
      const marks = new Marks([{ position: 0, timeMs: 5 }]);
      const seen = batches.pipe(dated(lane({ position: 1, unreadFrom: 3 }), byMinute(marks), scheduler), times);
      const found = { u: '1@5', v: '2@5', w: '3@70000', x: '4@70000' };
      expectObservable(seen).toBe('70s u-v-w-x|', found);
      flush();
      expect(marks.saved).toEqual(['0@5 3@70000']);
    }),
  );

  it(
    'get no new mark where it is not known what an earlier run has read',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('  70s b-c|').pipe(map(recordAt));
      const marks = new Marks([{ position: 0, timeMs: 5 }]);
      const seen = batches.pipe(dated(lane({ position: 1, unreadFrom: Infinity }), byMinute(marks), scheduler), times);
      expectObservable(seen).toBe('70s u-v|', { u: '1@5', v: '2@5' });
      flush();
      expect(marks.saved).toEqual([]);
    }),
  );

  it(
    'are dated anew by a mark that nothing has reached yet',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const batches = cold('  70s b 70s c 70s d|').pipe(map(recordAt));
      const marks = new Marks([{ position: 0, timeMs: 5 }]);
      const seen = batches.pipe(dated(lane({ position: 1, unreadFrom: 3 }), byMinute(marks), scheduler), times);
      expectObservable(seen).toBe('70s u 70s v 70s w|', { u: '1@5', v: '2@5', w: '3@210002' });
      flush();
      expect(marks.saved).toEqual(['0@5 3@70000', '0@5 3@140001', '0@5 3@210002']);
    }),
  );

  it(
    'go on being dated when the clock was set back',
    marbles(({ cold, expectObservable }, scheduler) => {
      const batches = cold('  -a|').pipe(map(recordAt));
      const marks = new Marks([{ position: 0, timeMs: 9e12 }]);
      expectObservable(batches.pipe(dated(lane({}), byMinute(marks), scheduler), times)).toBe('-u|', { u: '0@1' });
    }),
  );

  it(
    'stay undated in lanes whose records have times of their own; those are what counts everywhere',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const marks = new Marks();
      const { unreadFrom: _, ...own } = lane({});
      const batches = cold('-a|').pipe(map(recordAt));
      expectObservable(batches.pipe(dated(own, byMinute(marks), scheduler), times)).toBe('-u|', { u: '0@undefined' });
      flush();
      expect(marks.saved).toEqual([]);
      const origin = { incarnation: 'l', fields: {}, outcome, arrivals: [{ position: 0, timeMs: 1 }] };
      expect(arrivedMs(origin, { offset: 0, text: '', timeMs: 7 })).toBe(7);
    }),
  );

  it(
    'pass errors on, and an end without records marks nothing',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const marks = new Marks();
      const end = { records: [], position: 0, bytes: 0, state: null };
      expectObservable(
        concat(of(end), cold<Batch>('-#')).pipe(dated(lane({}), byMinute(marks), scheduler), times),
      ).toBe('u#', {
        u: '',
      });
      flush();
      expect(marks.saved).toEqual([]);
    }),
  );
});
