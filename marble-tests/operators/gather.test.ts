import { delay, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { gather } from '../../src/operators/gather.js';
import type { GatherConfig } from '../../src/operators/gather.js';
import { marbles } from '../marbles.js';

const upTo = (maxSize: number): GatherConfig<unknown> => ({ maxSize, sizeOf: () => 1 });

describe('gather', () => {
  it(
    'projects at once when idle; what comes meanwhile is the next run',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  -a-bc-----d------|');
      const work = time('     ----|            ');
      const expected = '     -----x---y----z--|';
      const runs = source.pipe(gather(upTo(8), (run) => of(run.join('')).pipe(delay(work))));
      expectObservable(runs).toBe(expected, { x: 'a', y: 'bc', z: 'd' });
    }),
  );

  it(
    'takes up to maxSize, and completes after the last run',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  (abcdef|)     ');
      const work = time('    ----|         ');
      const expected = '     ----x---y---z---(w|)';
      const runs = source.pipe(gather(upTo(2), (run) => of(run.join('')).pipe(delay(work))));
      expectObservable(runs).toBe(expected, { x: 'a', y: 'bc', z: 'de', w: 'f' });
    }),
  );

  it(
    'takes half of what waits when that is much, so that something waits while it runs',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  (abcdefghijkl|)        ');
      const work = time('    ----|                  ');
      const expected = '     ----u---v---w---x---(y|)';
      const halves = { ...upTo(5), wholeUpTo: 2 };
      const runs = source.pipe(gather(halves, (run) => of(run.join('')).pipe(delay(work))));
      expectObservable(runs).toBe(expected, { u: 'a', v: 'bcdef', w: 'ghi', x: 'jk', y: 'l' });
    }),
  );

  it(
    'passes on errors of the source and of a run',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#').pipe(gather(upTo(2), (run) => of(run.length)))).toBe('-a-#', { a: 1 });
      expectObservable(cold('-a--').pipe(gather(upTo(2), () => throwError(() => 'error')))).toBe('-#');
    }),
  );

  it(
    'cancels the run when it is unsubscribed',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const run = cold('     -----x|');
      const unsub = '        ---!';
      expectObservable(cold('-a-b').pipe(gather(upTo(2), () => run)), unsub).toBe('----');
      expectSubscriptions(run.subscriptions).toBe('-^-!');
    }),
  );

  it('does not deepen the stack with runs that end at once', () => {
    let count = 0;
    of(...Array.from({ length: 50_000 }, (_, n) => n))
      .pipe(gather(upTo(1), (run) => of(run)))
      .subscribe(() => count++);
    expect(count).toBe(50_000);
  });
});
