import { concat, defer, EMPTY, map, NEVER, of, throwError } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { pipeline } from '../../src/flow/pipeline.js';
import type { Settled } from '../../src/flow/settle.js';
import type { Lane } from '../../src/model/batch.js';
import type { DeadLetter } from '../../src/model/dead-letter.js';
import { MillraceError } from '../../src/model/errors.js';
import type { Sink, SinkResource } from '../../src/model/sink.js';
import type { SourceContext } from '../../src/model/source.js';
import type { Transactions } from '../../src/model/transactions.js';
import { batchOf, laneOf } from '../../src/testing/lane-of.js';
import { receiptFor, RecordingSink, resourceOf } from '../../src/testing/recording-sink.js';
import { marbles } from '../marbles.js';

interface Setting {
  readonly lanes: (context: SourceContext) => Observable<Lane>;
  /** The other leg, beside the one that stages. */
  readonly beside?: Sink;
  /** What happens to the n-th commit. */
  readonly commit: (at: number) => Observable<never>;
}

/** A pipeline of transactions, and what it has committed: `5ms l2 [2]`: position 2 of lane l, with what was staged up to 2. */
function committing(
  { lanes, beside = new RecordingSink(), commit }: Setting,
  scheduler: SchedulerLike,
): { readonly result: Observable<string>; readonly commits: string[] } {
  const commits: string[] = [];
  const staged: number[] = [];
  const settled: number[] = [];
  const transactions: Transactions = {
    topic: { partitions: 1, maxMessageBytes: undefined },
    store: {
      load: () => of(undefined),
      save: ({ lanes: positions }) => {
        const said = [...positions].map(([id, { position }]) => `${id}${position}`).join(' ');
        const taken = settled.splice(0).join();
        return defer(() => {
          commits.push(`${scheduler.now()}ms ${said} [${taken}]`);
          return commit(commits.length - 1);
        });
      },
    },
    stage: ({ position }) => staged.push(position),
    settled: (_, position) => {
      expect(staged).toContain(position);
      settled.push(position);
    },
  };
  const staging: SinkResource = {
    name: 'staging',
    open: (context) => {
      expect(context.transactions).toBe(transactions);
      const deliver: Sink['deliver'] = (delivery) => {
        context.transactions?.stage({ lane: delivery.lane, position: delivery.position, messages: [] });
        return of(receiptFor(delivery));
      };
      return concat(of({ deliver }), NEVER);
    },
  };
  const spec = {
    source: { open: lanes },
    stages: [],
    routes: [{ name: 'main', stages: [], to: [staging, resourceOf(beside)] }],
    deadLetters: resourceOf(new RecordingSink<DeadLetter>()),
    store: { load: () => throwError(() => new Error('not this one')), save: () => EMPTY },
    transactions: { name: 't', open: () => concat(of(transactions), NEVER) },
    policy: { initialMs: 4, jitter: 0 },
    checkpointEveryMs: 1000,
  };
  const run = { stop: NEVER, once: false, startDeadlineMs: 1000, report: () => {}, behind: () => {} };
  const result = pipeline(spec, run, scheduler).pipe(map(({ lane, position }: Settled) => `${lane}${position}`));
  return { result, commits };
}

const batches = map((letter: string) => batchOf(letter, letter.charCodeAt(0) - 97));

describe('pipeline with transactions', () => {
  it(
    'settles when it is committed; what settles meanwhile is the next transaction, without a pause',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      // Where it begins 0–2, the lane 2–4; then a at 5 is committed 5–7, and what came at 6 and 7 follows 7–9.
      const read = cold('       -abc----|').pipe(batches);
      const expected = '    -------a-(bc)-|';
      const { result, commits } = committing(
        { lanes: () => of(laneOf('l', read)), commit: () => cold<never>('--|') },
        scheduler,
      );
      expectObservable(result).toBe(expected, { a: 'l1', b: 'l2', c: 'l3' });
      flush();
      expect(commits).toEqual(['0ms  []', '2ms l0 []', '5ms l1 [1]', '7ms l3 [2,3]', '12ms l3 []']);
    }),
  );

  it(
    'is committed after every other leg has it, and not before',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const read = cold('--ab|').pipe(batches);
      const slow = new RecordingSink((delivery) => concat(cold<never>('----|'), of(receiptFor(delivery))));
      const { result, commits } = committing(
        { lanes: () => of(laneOf('l', read)), beside: slow, commit: () => EMPTY },
        scheduler,
      );
      expectObservable(result).toBe('------a---(b|)', { a: 'l1', b: 'l2' });
      flush();
      expect(commits).toEqual(['0ms  []', '0ms l0 []', '6ms l1 [1]', '10ms l2 [2]', '10ms l2 []']);
    }),
  );

  it(
    'a lane that is revoked before the commit has not settled, whatever becomes of the transaction',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const read = cold('--a---').pipe(batches);
      const revoked = cold('---r');
      const { result } = committing(
        {
          lanes: () => concat(of(laneOf('l', read, { revoked })), NEVER),
          commit: (at) => (at < 2 ? EMPTY : cold<never>('---|')),
        },
        scheduler,
      );
      expectObservable(result).toBe('-');
      flush();
    }),
  );

  it(
    'a transaction that failed ends the pipeline: what became of it shows at the next start',
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const lost = new MillraceError('MILLRACE_E_KAFKA_TRANSACTION');
      const read = cold('--a--').pipe(batches);
      const { result, commits } = committing(
        { lanes: () => of(laneOf('l', read)), commit: (at) => (at < 2 ? EMPTY : cold<never>('-#', {}, lost)) },
        scheduler,
      );
      expectObservable(result).toBe('---#', {}, lost);
      flush();
      expect(commits).toHaveLength(3);
    }),
  );
});
