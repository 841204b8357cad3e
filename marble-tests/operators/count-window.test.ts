import { from, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { countWindow } from '../../src/operators/count-window.js';
import type { CountResult, CountsState } from '../../src/operators/counts.js';
import { KeptState } from '../../src/operators/kept-state.js';
import type { Reducer } from '../../src/operators/reducers.js';
import { countOf } from '../../src/operators/reducers.js';
import { marbles } from '../marbles.js';
import { operatorCases } from './operator-cases.js';

const joined: Reducer<string, string, string> = {
  create: () => '',
  add: (text, element) => text + element,
  merge: (one, other) => one + other,
  result: (text) => text,
};
const shown = map(({ key, index, count, value }: CountResult<string, string>) => `${key}${index} ${value} ${count}`);
const upper = (letter: string): string => letter.toUpperCase();

describe('countWindow', () => {
  it(
    'a window comes out when it is full, what is open on completion',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-d-e-|   ');
      const subs = '         ^----------!   ';
      const expected = '     ---x---y---(z|)';
      const result = source.pipe(countWindow({ count: 2, reducer: joined }), shown);
      expectObservable(result).toBe(expected, { x: '0 ab 2', y: '1 cd 2', z: '2 e 1' });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'every key has its own; a full one is not open on completion',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-A-B-a-|   ');
      const expected = '     -----x-y---(z|)';
      const result = source.pipe(countWindow({ count: 2, keyOf: upper, reducer: joined }), shown);
      expectObservable(result).toBe(expected, { x: 'A0 aA 2', y: 'B0 bB 2', z: 'A1 a 1' });
    }),
  );

  it(
    'for one key more than maxKeys the one seen longest ago comes out short and is forgotten',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-a-c-b-----|    ');
      const expected = '     -------x-y-----(zv|)';
      const result = source.pipe(countWindow({ count: 3, keyOf: upper, maxKeys: 2, reducer: joined }), shown);
      // b was seen before the second a; then a before c.
      expectObservable(result).toBe(expected, { x: 'B0 b 1', y: 'A0 aa 2', z: 'C0 c 1', v: 'B0 b 1' });
    }),
  );

  it(
    'a key that is not seen for ttlMs comes out short; each element gives it that time anew',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-a---------b----|');
      const expected = '     -------x-y---------z|';
      const result = source.pipe(countWindow({ count: 3, keyOf: upper, ttlMs: 4, reducer: joined }), shown);
      expectObservable(result).toBe(expected, { x: 'B0 b 1', y: 'A0 aa 2', z: 'B0 b 1' });
    }),
  );

  it(
    'a full window whose key is forgotten has nothing to send; on unsubscribe the timer is cancelled',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-a-----------|');
      const expected = '     ---x-----------|';
      const options = { count: 2, ttlMs: 4, reducer: joined };
      expectObservable(source.pipe(countWindow(options), shown)).toBe(expected, { x: '0 aa 2' });
      expectObservable(cold('-a------').pipe(countWindow(options), shown), '---!').toBe('----');
    }),
  );

  it('refuses a count that is none, and a state of other windows', () => {
    const errors: unknown[] = [];
    const run = (count: number, state?: KeptState<CountsState<string, string>>): void =>
      void from(['a'])
        .pipe(countWindow({ count, reducer: joined, state }))
        .subscribe({ error: (error: unknown) => errors.push(error) });
    run(0);
    run(2, new KeptState<CountsState<string, string>>({ version: 1, count: 3, keys: [] }));
    expect(errors).toMatchObject([
      { code: 'MILLRACE_E_CONFIG_INVALID', message: expect.stringContaining('no 0 elements') as string },
      { code: 'MILLRACE_E_STATE_UNFIT', message: expect.stringContaining('3 is not 2') as string },
    ]);
  });

  it('what had to go comes out before what is full', () => {
    const results: string[] = [];
    const state = new KeptState<CountsState<string, string>>({ version: 1, count: 2, keys: [['A', 0, 1, 'a']] });
    from(['b', 'b'])
      .pipe(countWindow({ count: 2, keyOf: upper, maxKeys: 1, reducer: joined, state }), shown)
      .subscribe((result) => results.push(result));
    const single = new KeptState<CountsState<string, string>>({ version: 1, count: 1, keys: [['A', 0, 1, 'a']] });
    from(['b'])
      .pipe(countWindow({ count: 1, keyOf: upper, maxKeys: 1, reducer: joined, state: single }), shown)
      .subscribe((result) => results.push(result));
    expect(results).toEqual(['A0 a 1', 'B0 bb 2', 'A0 a 1', 'B0 b 1']);
  });

  it('what came out on completion is not in the state any more', () => {
    const state = new KeptState<CountsState<string, string>>();
    from(['a'])
      .pipe(countWindow({ count: 3, reducer: joined, state }))
      .subscribe();
    expect(state.capture()?.keys).toEqual([]);
  });

  it('a saved key is old enough to forget only ttlMs after the restart', () => {
    const state = new KeptState<CountsState<string, string>>({ version: 1, count: 3, keys: [['', 4, 1, 'a']] });
    marbles(({ cold, expectObservable }) => {
      const source = cold('  --b--------|');
      const expected = '     ------x----|';
      const result = source.pipe(countWindow({ count: 3, ttlMs: 4, reducer: joined, state }), shown);
      expectObservable(result).toBe(expected, { x: '4 ab 2' });
    })();
  });

  operatorCases<number, CountResult<string, number>, CountsState<number, string>>({
    operator: (state) => countWindow({ count: 1, reducer: countOf<number>(), state }),
    element: (n) => n,
    firstWith: 1,
    throwing: (error) =>
      countWindow({
        count: 1,
        reducer: countOf<number>(),
        keyOf: () => {
          throw error;
        },
      }),
  });
});
