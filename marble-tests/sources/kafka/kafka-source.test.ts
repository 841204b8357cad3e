import { EMPTY, NEVER, of, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/model/errors.js';
import type { Json } from '../../../src/model/json.js';
import type { ConsumerEvent } from '../../../src/model/kafka.js';
import type { SavedLane, SourceContext } from '../../../src/model/source.js';
import { assigned, durableAt, fetched, playing, rebalancing } from '../../fakes/fake-kafka.js';
import type { Scene } from '../../fakes/fake-kafka.js';
import { marbles } from '../../marbles.js';

type Values = Readonly<Record<string, ConsumerEvent>>;

/** A scene in virtual time: what happened, and how the source ended. */
function plays(
  scene: (helpers: RunHelpers) => Scene,
  expected: { readonly log: readonly string[]; readonly run: string },
): () => void {
  return marbles((helpers, scheduler) => {
    const { log, run } = playing(scene(helpers), scheduler);
    // A source that nobody stops would notice the silence again and again, for ever.
    helpers.expectObservable(run, '^ 300ms !').toBe(expected.run);
    helpers.flush();
    // The end of the test closes what is open.
    expect(log.filter((what) => what !== '301: closed')).toEqual(expected.log);
  });
}

const lost = new MillraceError('MILLRACE_E_KAFKA_UNREACHABLE');

describe('kafkaSource', () => {
  it(
    'begins where the group has committed, else where `from` says; a fetch is a batch',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 5, 1: -1 }), x: fetched(0, 5, 7), y: fetched(1, 0, 1) };
        return { members: [cold('a-x-y', values)] };
      },
      {
        log: [
          '0: open t-0 at 5',
          '0: start t-0 at 5',
          '0: open t-1 at 0',
          '0: start t-1 at 0',
          '2: t-0 5 6 → 7',
          '4: t-1 0 → 1',
        ],
        run: '-',
      },
    ),
  );

  it(
    'from: end begins at the end of what the group has committed nothing of',
    plays(({ cold }) => ({ members: [cold('a', { a: assigned({ 0: -1, 1: 3 }) })], options: { from: 'end' } }), {
      log: ['0: open t-0 at 100', '0: start t-0 at 100', '0: open t-1 at 3', '0: start t-1 at 3'],
      run: '-',
    }),
  );

  it(
    'commits what is durable, each offset once, and never more than went out',
    plays(
      ({ cold, hot }) => {
        const values: Values = { a: assigned({ 0: 0 }), x: fetched(0, 0, 4) };
        const durable = durableAt(hot('---s-t-u-v', { s: {}, t: { 't-0': 4 }, u: { 't-0': 4 }, v: { 't-0': 9 } }));
        return { members: [cold('a-x', values)], context: { durable } };
      },
      { log: ['0: open t-0 at 0', '0: start t-0 at 0', '2: t-0 0 1 2 3 → 4', '5: commit t-0 4'], run: '-' },
    ),
  );

  it(
    'with transactions it commits nothing itself, and every new division of the group begins all lanes anew',
    plays(
      ({ cold, hot }) => {
        const values: Values = {
          a: assigned({ 0: 0, 1: 0 }),
          x: fetched(0, 0, 2),
          r: rebalancing,
          b: assigned({ 0: 2 }),
          y: fetched(0, 2, 3),
        };
        const context = {
          durable: durableAt(hot('---s------t', { s: { 't-0': 2 }, t: { 't-0': 3 } })),
          stop: hot('--------s'),
          claim: () => EMPTY,
        };
        return { members: [cold('axr-b-y', values)], context };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '0: open t-1 at 0',
          '0: start t-1 at 0',
          '1: t-0 0 1 → 2',
          '2: revoked t-0',
          '2: forget t-0',
          '2: revoked t-1',
          '2: forget t-1',
          '4: open t-0 at 2',
          '4: start t-0 at 2',
          '6: t-0 2 → 3',
          '8: ended',
          '8: pause t-0',
          '8: end t-0',
          '10: leave',
          '10: closed',
        ],
        run: '----------|',
      },
    ),
  );

  it(
    'one commit at a time; what becomes durable meanwhile is the next',
    plays(
      ({ cold, hot }) => {
        const values: Values = { a: assigned({ 0: 0 }), x: fetched(0, 0, 9) };
        const durable = durableAt(hot('--stu', { s: { 't-0': 2 }, t: { 't-0': 4 }, u: { 't-0': 9 } }));
        return { members: [cold('ax', values)], context: { durable }, answer: () => cold('-----|') };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '1: t-0 0 1 2 3 4 5 6 7 8 → 9',
          '2: commit t-0 2',
          '7: commit t-0 9',
        ],
        run: '-',
      },
    ),
  );

  it(
    'a partition that stays goes on; one that leaves is revoked; before the division is new nothing is committed',
    plays(
      ({ cold, hot }) => {
        const values: Values = {
          a: assigned({ 0: 0, 1: 0 }),
          x: fetched(0, 0, 2),
          y: fetched(1, 0, 3),
          r: rebalancing,
          b: assigned({ 0: 0 }),
          z: fetched(0, 2, 3),
        };
        const durable = durableAt(hot('-----d', { d: { 't-0': 2, 't-1': 3 } }));
        return { members: [cold('axyr---b-z', values)], context: { durable } };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '0: open t-1 at 0',
          '0: start t-1 at 0',
          '1: t-0 0 1 → 2',
          '2: t-1 0 1 2 → 3',
          '7: start t-0 at 2',
          '7: revoked t-1',
          // Of t-1 nothing: it is somebody else's now, although the broker would take it.
          '7: commit t-0 2',
          '9: t-0 2 → 3',
        ],
        run: '-',
      },
    ),
  );

  /** Where a lane is opened that was saved, and once more when it comes back from another member. */
  const openings = (saved: SavedLane, committed: number, more: Partial<SourceContext> = {}): readonly string[] => {
    let heard: readonly string[] = [];
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const context = { saved: new Map([['t-0', saved]]), ...more };
      const values = { a: assigned({ 0: committed }), r: rebalancing, b: assigned({ 0: committed }, 'n') };
      const { log, run } = playing({ members: [cold('ar-b', values)], context }, scheduler);
      expectObservable(run, '^ 10ms !').toBe('-');
      flush();
      heard = log.filter((what) => /open|commit|forget/.test(what));
    })();
    return heard;
  };

  it('goes on where it had settled, after a crash or when it comes back: the group is behind, and hears of it', () => {
    for (const committed of [5, 6]) {
      expect(openings({ position: 7, state: { committed: 5 } }, committed)).toEqual([
        '0: commit t-0 7',
        '0: open t-0 at 7',
        '3: commit t-0 7',
        '3: open t-0 at 7',
      ]);
    }
  });

  it('somebody else was further, or has set the group back, or the log is a shorter one: the group says where', () => {
    const first = (position: number, state: Json, committed: number, more?: Partial<SourceContext>): string =>
      openings({ position, state }, committed, more)
        .filter((what) => what.startsWith('0'))
        .join(', ');
    expect(first(7, { committed: 5 }, 9)).toBe('0: open t-0 at 9');
    expect(first(7, { committed: 5 }, 4)).toBe('0: forget t-0, 0: open t-0 at 4');
    expect(first(7, { committed: 5 }, -1)).toBe('0: forget t-0, 0: open t-0 at 0');
    expect(first(101, { committed: 5 }, 5)).toBe('0: forget t-0, 0: open t-0 at 5');
    // It had settled before the group knew of it at all.
    for (const committed of [5, -1])
      expect(first(7, { committed: null }, committed)).toBe('0: commit t-0 7, 0: open t-0 at 7');
    expect(first(7, null, 5)).toBe('0: open t-0 at 5');
    expect(first(7, { committed: 5 }, 5, { claim: () => EMPTY })).toBe('0: open t-0 at 5');
  });

  it(
    'a commit that failed for a moment is not tried again once the group is divided anew',
    plays(
      ({ cold, hot }) => {
        const values: Values = { a: assigned({ 0: 0 }), x: fetched(0, 0, 2), r: rebalancing };
        const durable = durableAt(hot('--d-e', { d: { 't-0': 1 }, e: { 't-0': 2 } }));
        let commits = 0;
        const answer = (): Observable<never> => (++commits === 1 ? throwError(() => lost) : EMPTY);
        return { members: [cold('ax-r', values)], context: { durable }, answer };
      },
      { log: ['0: open t-0 at 0', '0: start t-0 at 0', '1: t-0 0 1 → 2', '2: commit t-0 1'], run: '-' },
    ),
  );

  it(
    'a commit of an older generation is refused and not tried again; the next division commits',
    plays(
      ({ cold, hot }) => {
        const values: Values = { a: assigned({ 0: 0 }), x: fetched(0, 0, 2), r: rebalancing };
        const durable = durableAt(hot('--d-e', { d: { 't-0': 1 }, e: { 't-0': 2 } }));
        let commits = 0;
        const stale = new MillraceError('MILLRACE_E_KAFKA_GENERATION');
        const answer = (): Observable<never> => (++commits === 1 ? throwError(() => stale) : EMPTY);
        return { members: [cold('ax---r-a', values)], context: { durable }, answer };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '1: t-0 0 1 → 2',
          '2: commit t-0 1',
          '2: debug',
          '7: start t-0 at 2',
          '7: commit t-0 2',
        ],
        run: '-',
      },
    ),
  );

  it(
    'a partition that somebody else has had meanwhile is opened anew, where the group says',
    plays(
      ({ cold }) => {
        const values: Values = {
          a: assigned({ 0: 0, 1: 0 }),
          x: fetched(0, 0, 2),
          r: rebalancing,
          b: assigned({ 0: 1, 1: 0 }),
          z: fetched(0, 1, 3),
        };
        return { members: [cold('axrb-z', values)] };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '0: open t-1 at 0',
          '0: start t-1 at 0',
          '1: t-0 0 1 → 2',
          '3: revoked t-0',
          '3: start t-1 at 0',
          '3: open t-0 at 1',
          '3: start t-0 at 1',
          '5: t-0 1 2 → 3',
        ],
        run: '-',
      },
    ),
  );

  it(
    'under another member id everything is opened anew',
    plays(({ cold }) => ({ members: [cold('a-b', { a: assigned({ 0: 0 }), b: assigned({ 0: 0 }, 'other') })] }), {
      log: ['0: open t-0 at 0', '0: start t-0 at 0', '2: revoked t-0', '2: open t-0 at 0', '2: start t-0 at 0'],
      run: '-',
    }),
  );

  it(
    'a fetch of another time is not taken: it is asked for again',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 5 }), x: fetched(0, 20, 22), y: fetched(0, 5, 6) };
        return { members: [cold('a-x-y', values)] };
      },
      { log: ['0: open t-0 at 5', '0: start t-0 at 5', '2: start t-0 at 5', '4: t-0 5 → 6'], run: '-' },
    ),
  );

  it(
    'what was removed from the log is said, and reading goes on where it begins',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 5 }), x: fetched(0, 20, 22), y: fetched(0, 20, 21) };
        return { members: [cold('a-xx-y', values)] };
      },
      {
        log: [
          '0: open t-0 at 5',
          '0: start t-0 at 5',
          '2: start t-0 at 5',
          '3: error MILLRACE_E_KAFKA_LOST',
          '3: revoked t-0',
          '3: open t-0 at 20',
          '3: start t-0 at 20',
          '5: t-0 20 → 21',
        ],
        run: '-',
      },
    ),
  );

  it(
    'without demand a partition is paused, and goes on when what it holds is out; others are not disturbed',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 0, 1: 0 }), x: fetched(0, 0, 2), y: fetched(1, 0, 1) };
        const reserve = (lane: string): Observable<void> =>
          lane === 't-0' ? cold<undefined>('---(g|)', { g: undefined }) : of(undefined);
        return { members: [cold('ax-y', values)], context: { demand: { reserve, adjust: () => {} } } };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '0: open t-1 at 0',
          '0: start t-1 at 0',
          '1: pause t-0',
          '3: t-1 0 → 1',
          '4: t-0 0 1 → 2',
          '4: resume t-0',
        ],
        run: '-',
      },
    ),
  );

  it(
    'a division while a batch is held: the partition goes on paused, and resumes when it is out',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 0 }), x: fetched(0, 0, 2), r: rebalancing };
        const reserve = (): Observable<void> => cold<undefined>('------(g|)', { g: undefined });
        return { members: [cold('axra', values)], context: { demand: { reserve, adjust: () => {} } } };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '1: pause t-0',
          '3: start t-0 at 2',
          '3: pause t-0',
          '7: t-0 0 1 → 2',
          '7: resume t-0',
        ],
        run: '-',
      },
    ),
  );

  it(
    'stop: lanes end at once; the source waits until what went out is committed, leaves and completes',
    plays(
      ({ cold, hot }) => {
        const values: Values = { a: assigned({ 0: 0, 1: 0 }), x: fetched(0, 0, 2) };
        const durable = durableAt(hot('-----d', { d: { 't-0': 2 } }));
        return { members: [cold('ax', values)], context: { durable, stop: timer3(cold) }, answer: () => cold('--|') };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '0: open t-1 at 0',
          '0: start t-1 at 0',
          '1: t-0 0 1 → 2',
          '3: ended',
          '3: pause t-0',
          '3: end t-0',
          '3: pause t-1',
          '3: end t-1',
          '5: commit t-0 2',
          '7: leave',
          '7: closed',
        ],
        run: '-------|',
      },
    ),
  );

  it(
    'stop before a broker was reached: completes at once',
    plays(({ cold }) => ({ members: [NEVER], context: { stop: cold('s') } }), {
      log: ['0: ended', '0: leave', '0: closed'],
      run: '|',
    }),
  );

  it(
    'once: up to the ends at the start, what came later is left',
    plays(
      ({ cold, hot }) => {
        const values: Values = { a: assigned({ 0: 0, 1: 3 }, 'm', 3), x: fetched(0, 0, 5, 5) };
        const durable = durableAt(hot('----d', { d: { 't-0': 3 } }));
        return { members: [cold('a-x', values)], context: { durable, once: true } };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '0: open t-1 at 3',
          '0: end t-1',
          '2: t-0 0 1 2 → 3',
          '2: pause t-0',
          '2: ended',
          '2: end t-0',
          '4: commit t-0 3',
          '4: leave',
          '4: closed',
        ],
        run: '----|',
      },
    ),
  );

  it(
    'once, with no partition for us: completes',
    plays(({ cold }) => ({ members: [cold('-a', { a: assigned({}) })], context: { once: true } }), {
      log: ['1: ended', '1: leave', '1: closed'],
      run: '-|',
    }),
  );

  it.each([
    ['comes back when its session is over: it is read before the end', 'a-b-x---c-y-|', '10: ended'],
    ['goes to somebody else for good: the end does not wait longer than for a session', 'a-b-x', '44: ended'],
  ])('once, and a part that a lost member of ours still has %s', (_, diagram, end) => {
    marbles(({ cold, hot, expectObservable, flush }, scheduler) => {
      const values: Values = {
        ...{ a: assigned({ 0: 0, 1: 0 }, 'm', 3), b: assigned({ 0: 0 }, 'n', 3), c: assigned({ 0: 3, 1: 0 }, 'o', 3) },
        ...{ x: fetched(0, 0, 3, 3), y: fetched(1, 0, 3, 3) },
      };
      const durable = durableAt(hot('-----d', { d: { 't-0': 3 } }));
      const members = [cold(diagram.replace('|', '-'), values)];
      const { log, run } = playing(
        { members, context: { durable, once: true }, options: { sessionTimeoutMs: 20 } },
        scheduler,
      );
      expectObservable(run, '^ 300ms !');
      flush();
      expect(log.filter((what) => what.endsWith('ended'))).toEqual([end]);
    })();
  });

  it(
    'a log that was made anew is another one: nothing is known of it',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 5 }), x: fetched(0, 0, 2) };
        return { members: [cold('a-xx', values)] };
      },
      {
        log: [
          '0: open t-0 at 5',
          '0: start t-0 at 5',
          '2: start t-0 at 5',
          '3: error MILLRACE_E_KAFKA_LOST',
          '3: revoked t-0',
          '3: forget t-0',
          '3: open t-0 at 0',
          '3: start t-0 at 0',
        ],
        run: '-',
      },
    ),
  );

  it(
    'a member that is lost: everything is revoked, another one joins',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 0 }), b: assigned({ 0: 0 }, 'n') };
        return { members: [cold('a-#', values, lost), cold('b', values)], options: {} };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '2: revoked t-0',
          '2: warn MILLRACE_E_KAFKA_UNREACHABLE',
          '2: closed',
          expect.stringMatching(/^[\d.]+: open t-0 at 0$/) as string,
          expect.stringMatching(/^[\d.]+: start t-0 at 0$/) as string,
        ],
        run: '-',
      },
    ),
  );

  it(
    'silence: a member that hears nothing at all is given up',
    plays(
      ({ cold }) => {
        const values: Values = { a: assigned({ 0: 0 }), l: { kind: 'alive' } };
        return {
          members: [cold('a 5ms l', values), NEVER],
          options: { silenceMs: 250 },
        };
      },
      {
        log: [
          '0: open t-0 at 0',
          '0: start t-0 at 0',
          '256: revoked t-0',
          '256: warn MILLRACE_E_KAFKA_SILENT',
          '256: closed',
        ],
        run: '-',
      },
    ),
  );

  it(
    'with once: what cannot be reached in time is an error that says why',
    marbles(({ expectObservable }, scheduler) => {
      const { run } = playing({ members: [], joining: throwError(() => lost), context: { once: true } }, scheduler);
      const late = new MillraceError('MILLRACE_E_FLOW_START_DEADLINE', `topics t: ${lost.message}`, { cause: lost });
      expectObservable(run).toBe('50ms #', undefined, late);
    }),
  );

  it(
    'joining that nobody answers is given up, and tried again',
    marbles(({ expectObservable, flush }, scheduler) => {
      const { run, log } = playing({ members: [], joining: NEVER, options: { silenceMs: 1000 } }, scheduler);
      expectObservable(run, '^ 1500ms !').toBe('-');
      flush();
      expect(log).toEqual(['1000: warn MILLRACE_E_KAFKA_SILENT']);
    }),
  );

  it(
    'stop: a goodbye that nobody answers is not waited for',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const members = [cold<ConsumerEvent>('a', { a: assigned({}) })];
      const { run, log } = playing({ members, leaving: NEVER, context: { stop: timer3(cold) } }, scheduler);
      expectObservable(run).toBe('2003ms |');
      flush();
      expect(log).toEqual(['3: ended', '3: leave', '2003: closed']);
    }),
  );

  it(
    'the third failure in a row is for debugging, unless it is another one than before',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const gone = new MillraceError('MILLRACE_E_KAFKA_TOPIC');
      const failing = (third: Error): string[] => {
        const members = [lost, lost, third].map((error) => cold<ConsumerEvent>('#', {}, error));
        const { run, log } = playing({ members }, scheduler);
        expectObservable(run, '^ 2s !').toBe('-');
        return log;
      };
      const [same, other] = [failing(lost), failing(gone)];
      flush();
      const third = (log: readonly string[]): string | undefined =>
        log.filter((what) => what.includes('MILLRACE_E_'))[2]?.replace(/^[\d.]+: /, '');
      expect([third(same), third(other)]).toEqual([`debug ${lost.code}`, `warn ${gone.code}`]);
    }),
  );
});

function timer3(cold: RunHelpers['cold']): Observable<unknown> {
  return cold('---s');
}
