import { concat, defer, EMPTY, ignoreElements, map, merge, NEVER, of, tap, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { Checkpointer } from '../../src/flow/checkpoint.js';
import type { Captured } from '../../src/flow/checkpoint.js';
import { emptyLedger } from '../../src/flow/ledger.js';
import type { Settled } from '../../src/flow/settle.js';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import { laneOf } from '../../src/testing/lane-of.js';
import { marbles } from '../marbles.js';

interface Setting {
  readonly cold: RunHelpers['cold'];
  /** What happens to each save, drawn; the last one is for all further ones. Default: durable at once. */
  readonly saves?: readonly string[];
  readonly sinks?: readonly Captured[];
  readonly saved?: Checkpoint;
}

/** A checkpointer, and what is handed to the store, as `a1 b2`: positions by lane. */
function checkpointing(
  { cold, saves = ['|'], sinks = [], saved }: Setting,
  scheduler: SchedulerLike,
): { checkpointer: Checkpointer; handed: string[]; checkpoints: Checkpoint[] } {
  const handed: string[] = [];
  const checkpoints: Checkpoint[] = [];
  const save = (checkpoint: Checkpoint): Observable<void> =>
    defer(() => {
      const drawn = saves[Math.min(handed.length, saves.length - 1)] ?? '|';
      checkpoints.push(checkpoint);
      handed.push(
        `${scheduler.now()}: ${[...checkpoint.lanes].map(([id, { position }]) => `${id}${position}`).join(' ')}`,
      );
      return cold<undefined>(drawn);
    });
  const store = { load: () => EMPTY, save };
  const policy = { initialMs: 2, jitter: 0 } as const;
  const stages = { capture: (lanes: ReadonlyMap<string, unknown>) => new Map([['lanes', [...lanes.keys()]]]) };
  return {
    checkpointer: new Checkpointer({ store, saved, sinks, stages, everyMs: 10, policy }, scheduler),
    handed,
    checkpoints,
  };
}

function settledAt(lane: string, position: number): Settled {
  return { lane, position, state: null, bytes: 1, ledger: emptyLedger([]) };
}

function known(...lanes: readonly string[]): Checkpoint {
  return { lanes: new Map(lanes.map((id) => [id, { position: 0, state: null }])), sinks: new Map(), stages: new Map() };
}

/** What happens from outside, at its time. */
function at(ms: number, does: () => void): Observable<never> {
  return timer(ms).pipe(tap(does), ignoreElements());
}

describe('Checkpointer', () => {
  it(
    'tells the positions that have become durable, when they have',
    marbles(({ cold, expectObservable }, scheduler) => {
      const { checkpointer } = checkpointing({ cold, saves: ['---|'], saved: known('a') }, scheduler);
      const told = checkpointer.durable.pipe(map((positions) => [...positions].join()));
      expectObservable(
        merge(
          told,
          checkpointer.run,
          at(2, () => checkpointer.settled(settledAt('a', 7))),
        ),
      ).toBe('---------------d', { d: 'a,7' });
    }),
  );

  it(
    'once it is in a hurry, saves at once whatever settles',
    marbles(({ cold, expectObservable }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saved: known('a') }, scheduler);
      const happens = merge(
        at(1, () => checkpointer.settled(settledAt('a', 1))),
        at(3, () => checkpointer.hurry()),
        at(4, () => checkpointer.settled(settledAt('a', 2))),
        at(5, () => checkpointer.settled(settledAt('a', 3))),
      );
      expectObservable(merge(checkpointer.run, happens), '^ 50ms !').toBe('-');
      scheduler.flush();
      expect(handed).toEqual(['3: a1', '4: a2', '5: a3']);
    }),
  );

  it(
    'saves at most once in everyMs, what is the newest then; nothing when nothing changed',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saved: known('a', 'b') }, scheduler);
      const events = merge(
        at(3, () => checkpointer.settled(settledAt('a', 1))),
        at(5, () => checkpointer.settled(settledAt('a', 2))),
        at(12, () => checkpointer.settled(settledAt('b', 1))),
        at(14, () => checkpointer.settled(settledAt('a', 3))),
        at(50, () => checkpointer.settled(settledAt('a', 4))),
      );
      expectObservable(merge(checkpointer.run, events), '100ms !').toBe('-');
      flush();
      expect(handed).toEqual(['13: a2 b1', '24: a3 b1', '60: a4 b1']);
    }),
  );

  it(
    'one checkpoint at a time: what settles during a save is in the next',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saved: known('a'), saves: ['30ms |', '|'] }, scheduler);
      const events = merge(
        at(0, () => checkpointer.settled(settledAt('a', 1))),
        at(20, () => checkpointer.settled(settledAt('a', 2))),
      );
      expectObservable(merge(checkpointer.run, events), '100ms !').toBe('-');
      flush();
      expect(handed).toEqual(['10: a1', '50: a2']);
    }),
  );

  it(
    'a new lane is durable before anything of it is delivered: it waits for no interval',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saves: ['---|'] }, scheduler);
      const lane = laneOf('a', NEVER, { position: 7 });
      const delivered = '--------d|';
      const admitted = concat(
        timer(5).pipe(ignoreElements()),
        checkpointer.admit(lane),
        of('d'),
        timer(1).pipe(ignoreElements()),
      );
      expectObservable(checkpointer.run, '30ms !').toBe('-');
      expectObservable(admitted).toBe(delivered);
      flush();
      expect(handed).toEqual(['5: a7']);
    }),
  );

  it(
    'a new lane cuts the interval, and the running save is not enough for it',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saved: known('a'), saves: ['---|'] }, scheduler);
      const events = at(0, () => checkpointer.settled(settledAt('a', 1)));
      const admit = (id: string, ms: number): Observable<string> =>
        concat(timer(ms).pipe(ignoreElements()), checkpointer.admit(laneOf(id, NEVER)), of('d'));
      expectObservable(merge(checkpointer.run, events), '40ms !').toBe('-');
      expectObservable(admit('b', 4)).toBe('-------(d|)');
      expectObservable(admit('c', 6)).toBe('----------(d|)');
      flush();
      expect(handed).toEqual(['4: a1 b0', '7: a1 b0 c0']);
    }),
  );

  it(
    'a lane that the checkpoint knows is admitted at once',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saved: known('a') }, scheduler);
      expectObservable(checkpointer.run, '30ms !').toBe('-');
      expectObservable(checkpointer.admit(laneOf('a', NEVER))).toBe('|');
      flush();
      expect(handed).toEqual([]);
    }),
  );

  it(
    'positions and the sinks’ states are of one instant; then the sinks sync, then the checkpoint is written',
    marbles(({ cold, expectObservable, expectSubscriptions, flush }, scheduler) => {
      let length = 0;
      const sync = cold<never>('-----|');
      const asked: unknown[] = [];
      const sink: Captured = {
        name: 'file',
        capture: (settled) => {
          asked.push([...settled]);
          return { state: length, sync };
        },
      };
      const { checkpointer, handed, checkpoints } = checkpointing(
        { cold, saved: known('a'), sinks: [sink] },
        scheduler,
      );
      const events = merge(
        at(2, () => {
          length = 100;
          checkpointer.settled(settledAt('a', 1));
        }),
        // During the sync: not part of what is being synced.
        at(14, () => {
          length = 200;
          checkpointer.settled(settledAt('a', 2));
        }),
      );
      expectObservable(merge(checkpointer.run, events), '40ms !').toBe('-');
      expectSubscriptions(sync.subscriptions).toBe(['12ms ^----!', '27ms ^----!']);
      flush();
      expect(handed).toEqual(['17: a1', '32: a2']);
      expect(checkpoints.map(({ sinks }) => sinks.get('file'))).toEqual([100, 200]);
      expect(asked).toEqual([[['a', 1]], [['a', 2]]]);
      expect(checkpoints.map(({ stages }) => stages.get('lanes'))).toEqual([['a'], ['a']]);
    }),
  );

  it(
    'a save that failed is tried again with what is true then',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const captures: number[] = [];
      const sink: Captured = { name: 's', capture: () => ({ state: captures.push(scheduler.now()), sync: EMPTY }) };
      const { checkpointer, handed } = checkpointing({ cold, saves: ['#', '#', '|'], sinks: [sink] }, scheduler);
      const events = at(1, () => checkpointer.settled(settledAt('a', 5)));
      const admitted = concat(checkpointer.admit(laneOf('a', NEVER)), of('d'));
      expectObservable(merge(checkpointer.run, events), '40ms !').toBe('-');
      expectObservable(admitted).toBe('------(d|)'); // waits 2, 4
      flush();
      expect(handed).toEqual(['0: a0', '2: a5', '6: a5']);
      expect(captures).toEqual([0, 2, 6]);
    }),
  );

  it(
    'a sync that failed is a save that failed: nothing is written',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      let fails = true;
      const sink: Captured = {
        name: 's',
        capture: () => {
          const sync = fails ? cold<never>('#') : EMPTY;
          fails = false;
          return { state: null, sync };
        },
      };
      const { checkpointer, handed } = checkpointing({ cold, sinks: [sink] }, scheduler);
      expectObservable(checkpointer.run, '40ms !').toBe('-');
      expectObservable(checkpointer.saveNow()).toBe('--|');
      flush();
      expect(handed).toEqual(['2: ']);
    }),
  );

  it(
    'a forgotten lane is not in the next checkpoint, and a late batch does not bring it back',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saved: known('a', 'b') }, scheduler);
      const events = merge(
        at(0, () => checkpointer.forget('a')),
        at(1, () => checkpointer.forget('nobody')),
        at(12, () => checkpointer.settled(settledAt('a', 9))),
        at(13, () => checkpointer.settled(settledAt('b', 1))),
      );
      expectObservable(merge(checkpointer.run, events), '60ms !').toBe('-');
      flush();
      expect(handed).toEqual(['10: b0', '23: b1']);
    }),
  );

  it(
    'saveNow completes when everything up to now is durable; unsubscribing it leaves nothing behind',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const { checkpointer, handed } = checkpointing({ cold, saves: ['--|'], saved: known('a') }, scheduler);
      checkpointer.settled(settledAt('a', 3));
      expectObservable(checkpointer.run, '40ms !').toBe('-');
      expectObservable(checkpointer.saveNow()).toBe('--|');
      expectObservable(checkpointer.saveNow(), '-!').toBe('-');
      flush();
      expect(handed[0]).toBe('0: a3');
    }),
  );

  it(
    'unsubscribing cancels the interval, the sync and the save',
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sync = cold<never>('-----|');
      const sink: Captured = { name: 's', capture: () => ({ state: null, sync }) };
      const { checkpointer } = checkpointing({ cold, sinks: [sink] }, scheduler);
      expectObservable(checkpointer.saveNow(), '---!').toBe('-');
      expectObservable(checkpointer.run, '---!').toBe('-');
      expectSubscriptions(sync.subscriptions).toBe('^--!');
    }),
  );

  it('ten thousand changes while a synchronous store saves do not deepen the stack', () => {
    let left = 1e4;
    const store = {
      load: () => EMPTY,
      save: () =>
        defer(() => {
          if (left-- > 0) checkpointer.saveNow().subscribe();
          return EMPTY;
        }),
    };
    const unused = {
      now: () => 0,
      schedule: () => {
        throw new Error('no timer');
      },
    };
    const checkpointer = new Checkpointer(
      { store, saved: undefined, sinks: [], stages: { capture: () => new Map() }, everyMs: 10, policy: {} },
      unused,
    );
    const errors: unknown[] = [];
    checkpointer.run.subscribe({ error: (error: unknown) => errors.push(error) });
    checkpointer.saveNow().subscribe();
    expect(errors).toEqual([]);
    expect(left).toBe(-1);
  });
});
