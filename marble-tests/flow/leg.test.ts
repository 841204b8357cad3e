import { catchError, EMPTY, map, NEVER, Observable, of, range, take, throwError } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { leg } from '../../src/flow/leg.js';
import { MillraceError } from '../../src/model/errors.js';
import type { Delivery, Receipt, Sink } from '../../src/model/sink.js';
import { RecordingSink } from '../../src/testing/recording-sink.js';
import { marbles } from '../marbles.js';

const policy = { initialMs: 2, jitter: 0 } as const;
const away = new MillraceError('MILLRACE_E_FILE_IO');
const odd = new Error('odd');

const r: Receipt<string> = { delivered: 1, duplicates: 0, refused: [] };
const nothing: Receipt<string> = { delivered: 0, duplicates: 0, refused: [] };

/** a, b, c … are deliveries of one item; 0 is an empty one. */
function deliveriesOf(letter: string): Delivery<string> {
  return { lane: 'l', position: 1, items: letter === '0' ? [] : [letter] };
}

/** A sink whose answers are drawn one by one. */
function answering(cold: RunHelpers['cold'], answers: readonly string[], error: unknown = away): RecordingSink<string> {
  return new RecordingSink((_, at) => cold(answers[at] ?? '-', { r }, error));
}

describe('leg', () => {
  it(
    'hands a sink that takes them several batches side by side; receipts come in order',
    marbles(({ cold, expectObservable }) => {
      const deliveries = cold(' abc---|');
      const waits: Record<string, string> = { a: '-----|', b: '-|', c: '-----|' };
      const expected = '       -----(ab)-(c|)';
      const sink: Sink<string> = {
        inFlightPerLane: 2,
        deliver: ({ items }) =>
          cold(waits[items[0]!]!.replace('|', '(r|)'), { r: { delivered: items.length, duplicates: 0, refused: [] } }),
      };
      const receipts = deliveries.pipe(
        map((item) => ({ lane: 'l', position: 1, items: [item] })),
        leg(sink, { policy: { initialMs: 1, jitter: 0 } }),
        map((_, at) => 'abc'[at]!),
      );
      expectObservable(receipts).toBe(expected);
    }),
  );

  it(
    'delivers one after the other, in order; a receipt each, when the sink completes',
    marbles(({ cold, expectObservable }) => {
      const sink = answering(cold, ['---(r|)', '-r---|', '(r|)']);
      const source = cold('  ab-----c---------|').pipe(map(deliveriesOf));
      const expected = '     ---r----(rs)-----|';
      expectObservable(source.pipe(leg(sink, { policy }))).toBe(expected, { r, s: r });
    }),
  );

  it(
    'a delivery without items does not reach the sink and keeps its place',
    marbles(({ cold, expectObservable, flush }) => {
      const sink = answering(cold, ['---(r|)', '------(r|)']);
      const source = cold('  (a0b|)        ').pipe(map(deliveriesOf));
      const expected = '     ---(rn)--(s|) ';
      expectObservable(source.pipe(leg(sink, { policy }))).toBe(expected, { r, n: nothing, s: r });
      flush();
      expect(sink.deliveries.map(({ items }) => items)).toEqual([['a'], ['b']]);
    }),
  );

  it(
    'tries transient errors again, without end and however often, and nothing overtakes',
    marbles(({ cold, expectObservable, flush }) => {
      const sink = answering(cold, ['#', '#', '#', '#', '#', '#', '#', '(r|)', '(r|)']);
      const source = cold('  (ab|)       ').pipe(map(deliveriesOf));
      const expected = '     14ms (rs|)'; // 7 waits of 2 ms
      const capped = { ...policy, maxMs: 2 };
      expectObservable(source.pipe(leg(sink, { policy: capped, maxUnclassifiedTries: 3 }))).toBe(expected, { r, s: r });
      flush();
      expect(sink.deliveries.map(({ items }) => items[0])).toEqual(Array.from('aaaaaaaab'));
    }),
  );

  it(
    'a limit of tries in the policy is not for transient errors',
    marbles(({ cold, expectObservable }) => {
      const sink = answering(cold, [...new Array<string>(12).fill('#'), '(r|)']);
      const limited = { ...policy, maxMs: 2, maxTriesInARow: 2 };
      const expected = '     24ms (r|)'; // 12 waits of 2 ms
      expectObservable(of(deliveriesOf('a')).pipe(leg(sink, { policy: limited }))).toBe(expected, { r });
    }),
  );

  it(
    'what nobody classified is tried a few times, then it is the end',
    marbles(({ cold, expectObservable, flush }) => {
      const sink = answering(cold, ['#', '#', '#', '#'], odd);
      const source = cold('  a-----------').pipe(map(deliveriesOf));
      const expected = '     ------#     '; // waits 2, 4
      const exhausted = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', '3 in a row, the last: odd', { cause: odd });
      const result = source.pipe(leg(sink, { policy, maxUnclassifiedTries: 3 }));
      expectObservable(result).toBe(expected, undefined, exhausted);
      flush();
      expect(sink.deliveries).toHaveLength(3);
    }),
  );

  it(
    'five tries if nothing else is said; what a policy calls recoverable does not matter here',
    marbles(({ expectObservable }) => {
      const failing: Sink<string> = { deliver: () => throwError(() => odd) };
      const choosy = { ...policy, recoverable: () => false };
      const exhausted = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', '5 in a row, the last: odd', { cause: odd });
      const expected = ' 30ms #'; // 2 + 4 + 8 + 16
      expectObservable(of(deliveriesOf('a')).pipe(leg(failing, { policy: choosy }))).toBe(
        expected,
        undefined,
        exhausted,
      );
    }),
  );

  it(
    'a throw in deliver is an error like any other',
    marbles(({ expectObservable }) => {
      let calls = 0;
      const sink: Sink<string> = {
        deliver: () => {
          if (++calls === 1) throw away;
          return of(r);
        },
      };
      expectObservable(of(deliveriesOf('a')).pipe(leg(sink, { policy }))).toBe('--(r|)', { r });
    }),
  );

  it(
    'a sink that fails after its receipt has not delivered: one receipt in the end',
    marbles(({ cold, expectObservable }) => {
      const sink = answering(cold, ['-r-#', '-(r|)']);
      const source = cold('  a|           ').pipe(map(deliveriesOf));
      const expected = '     ------(r|)   ';
      expectObservable(source.pipe(leg(sink, { policy }))).toBe(expected, { r });
    }),
  );

  it(
    'a sink that completes without a receipt is an error, not an acknowledgement',
    marbles(({ expectObservable }) => {
      const silent: Sink<string> = { deliver: () => EMPTY };
      const result = of(deliveriesOf('a')).pipe(
        leg(silent, { policy, maxUnclassifiedTries: 1 }),
        catchError((error: unknown) => of((error as MillraceError).code)),
      );
      expectObservable(result).toBe('(e|)', { e: 'MILLRACE_E_RETRY_EXHAUSTED' });
    }),
  );

  it(
    'wake cuts the running wait, once',
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const failing = cold<Receipt<string>>('  #                    ', {}, away);
      const wake = hot('      -----w---------------');
      const subs = [
        '                     (^!)                 ',
        '                     --(^!)               ',
        '                     -----(^!)            ',
        '                     -------------(^!)    ',
      ];
      const unsub = '         -----------------!   ';
      const result = of(deliveriesOf('a')).pipe(leg({ deliver: () => failing }, { policy: { ...policy, wake } }));
      expectObservable(result, unsub).toBe('-');
      expectSubscriptions(failing.subscriptions).toBe(subs);
    }),
  );

  it(
    'unsubscribing cancels a running delivery and a running wait',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const running = cold('  -----(r|)', { r });
      const failing = cold<Receipt<string>>('  -#         ', {}, away);
      const unsub = '         --!        ';
      expectObservable(of(deliveriesOf('a')).pipe(leg({ deliver: () => running }, { policy })), unsub).toBe('-');
      expectObservable(of(deliveriesOf('a')).pipe(leg({ deliver: () => failing }, { policy })), unsub).toBe('-');
      expectSubscriptions(running.subscriptions).toBe(' ^-!');
      expectSubscriptions(failing.subscriptions).toBe(' ^!');
    }),
  );

  it(
    'completes after the last receipt; empty, never and error pass through',
    marbles(({ cold, expectObservable }) => {
      const slow = answering(cold, ['-----(r|)']);
      const through = leg(slow, { policy });
      expectObservable(cold('a|').pipe(map(deliveriesOf), through)).toBe('-----(r|)', { r });
      expectObservable(EMPTY.pipe(through)).toBe('|');
      expectObservable(NEVER.pipe(through)).toBe('-');
      expectObservable(throwError(() => 'boom').pipe(through)).toBe('#', undefined, 'boom');
    }),
  );

  it('two subscriptions share nothing but the sink', () => {
    const sink = new RecordingSink<string>(() => NEVER);
    const result = of(deliveriesOf('a'), deliveriesOf('b')).pipe(leg(sink, { policy }));
    result.subscribe();
    result.subscribe();
    expect(sink.deliveries.map(({ items }) => items[0])).toEqual(['a', 'a']);
  });

  it('takes a hundred thousand deliveries to a synchronous sink', () => {
    let receipts = 0;
    range(0, 1e5)
      .pipe(
        map(() => deliveriesOf('a')),
        leg({ deliver: () => of(r) }, { policy }),
      )
      .subscribe(() => receipts++);
    expect(receipts).toBe(1e5);
  });

  it('a synchronous source stops when take(1) has its receipt', () => {
    let produced = 0;
    new Observable<Delivery<string>>((subscriber) => {
      while (!subscriber.closed && produced < 100) {
        produced++;
        subscriber.next(deliveriesOf('a'));
      }
    })
      .pipe(leg({ deliver: () => of(r) }, { policy }), take(1))
      .subscribe();
    expect(produced).toBe(1);
  });

  it(
    'a sink that takes runs gets what came meanwhile, in order; a failed run is tried again as it was',
    marbles(({ cold, expectObservable, flush }) => {
      const runs: string[] = [];
      const answers = ['---(x|)', '-#', '--(x|)'];
      const sink: Sink<string> = {
        deliver: () => throwError(() => new Error('not for runs')),
        deliverRun: (run) => {
          runs.push(run.flatMap(({ items }) => items).join(''));
          return cold(answers[runs.length - 1]!, { x: run.map(() => r) }, away);
        },
      };
      const source = cold('  ab0c---------|').pipe(map(deliveriesOf));
      // The second run fails at 4 and is sent again at 6.
      const expected = '     ---r----(rnr)|';
      expectObservable(source.pipe(leg(sink, { policy }))).toBe(expected, { r, n: nothing });
      flush();
      expect(runs).toEqual(['a', 'bc', 'bc']);
    }),
  );

  it(
    'a run that is answered for in part is not taken for delivered',
    marbles(({ expectObservable }) => {
      const sink: Sink<string> = { deliver: () => of(r), deliverRun: () => of([]) };
      const cause = new TypeError('a sink gave 0 receipts for 1 deliveries');
      const exhausted = new MillraceError('MILLRACE_E_RETRY_EXHAUSTED', `1 in a row, the last: ${cause.message}`, {
        cause,
      });
      const result = of(deliveriesOf('a')).pipe(leg(sink, { policy, maxUnclassifiedTries: 1 }));
      expectObservable(result).toBe('#', undefined, exhausted);
    }),
  );
});
