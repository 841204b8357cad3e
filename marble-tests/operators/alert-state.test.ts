import { from, map } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { alertState } from '../../src/operators/alert-state.js';
import type { AlertStateConfig } from '../../src/operators/alert-state.js';
import type { AlertsState, AlertTransition } from '../../src/operators/alerts.js';
import { KeptState } from '../../src/operators/kept-state.js';
import { marbles } from '../marbles.js';
import { operatorCases } from './operator-cases.js';

interface Load {
  readonly host: string;
  readonly value: number;
  readonly timeMs: number;
}

type Config = Partial<AlertStateConfig<Load, string>>;

const base = {
  rule: 'load',
  timeOf: ({ timeMs }: Load) => timeMs,
  keyOf: ({ host }: Load) => host,
  breaches: ({ value }: Load) => value > 7,
};
const shown = map(({ key, from: before, to, sinceMs }: AlertTransition<Load, string>) => {
  return `${key}${before} → ${to} since ${sinceMs}`;
});
/** A digit is a load, observed at the frame that it is drawn at. */
const loads = map((load: string, at: number): Load => ({ host: '', value: Number(load), timeMs: 2 * at + 1 }));
/** Loads one after the other, `a9@5` a load of 9 on host a at 5 ms. */
function run(observations: readonly string[], config: Config = {}): AlertTransition<Load, string>[] {
  const transitions: AlertTransition<Load, string>[] = [];
  from(observations)
    .pipe(
      map((text) => ({
        host: text.replace(/\d.*/, ''),
        value: Number(text.match(/\d+/)?.[0]),
        timeMs: Number(text.split('@')[1]),
      })),
      alertState({ ...base, ...config }),
    )
    .subscribe((transition) => transitions.push(transition));
  return transitions;
}

const steps = (transitions: readonly AlertTransition<Load, string>[]): string[] =>
  transitions.map(({ key, to, timeMs }) => `${key} ${to} ${timeMs}`);

describe('alertState', () => {
  it(
    'normal → pending → alerting → normal, one transition a change',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -1-8-9-9-8-9-2-1-|');
      const subs = '         ^----------------!';
      const expected = '     ---x---y-----z---|';
      const result = source.pipe(loads, alertState({ ...base, forMs: 4 }), shown);
      expectObservable(result).toBe(expected, {
        x: 'normal → pending since 3',
        y: 'pending → alerting since 3',
        z: 'alerting → normal since 3',
      });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'without forMs it alerts at once and is never pending',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -1-8-1-|');
      const expected = '     ---x-y-|';
      const values = { x: 'normal → alerting since 3', y: 'alerting → normal since 3' };
      expectObservable(source.pipe(loads, alertState(base), shown)).toBe(expected, values);
    }),
  );

  it(
    'a breach that does not last is pending and over, and the next one counts from its own beginning',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -8-1-8-9-8-|');
      const expected = '     -w-x-y---z-|';
      const result = source.pipe(loads, alertState({ ...base, forMs: 4 }), shown);
      expectObservable(result).toBe(expected, {
        w: 'normal → pending since 1',
        x: 'pending → normal since 1',
        y: 'normal → pending since 5',
        z: 'pending → alerting since 5',
      });
    }),
  );

  it(
    'flapping around the threshold: with hysteresis one alert, without it one a flap',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -8-6-8-6-9-5-3-|');
      const flapping = '     -a-n-a-n-a-n---|';
      const calm = '         -a-----------n-|';
      const to = map(({ to: status }: AlertTransition<Load, string>) => status.charAt(0));
      expectObservable(source.pipe(loads, alertState(base), to)).toBe(flapping);
      const clears = ({ value }: Load): boolean => value < 4;
      expectObservable(source.pipe(loads, alertState({ ...base, clears }), to)).toBe(calm);
    }),
  );

  it(
    'keeps firing until it has been clear for keepFiringMs without a break',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -8-1-1-8-1-6-1-1-1-|');
      const expected = '     -a---------------n-|';
      const clears = ({ value }: Load): boolean => value < 4;
      const to = map(({ to: status }: AlertTransition<Load, string>) => status.charAt(0));
      // 8 breaks the first silence, 6 (neither a breach nor clear) the second.
      expectObservable(source.pipe(loads, alertState({ ...base, clears, keepFiringMs: 4 }), to)).toBe(expected);
    }),
  );

  it('between the limits of the hysteresis a pending alert neither ends nor becomes an alert', () => {
    const clears = ({ value }: Load): boolean => value < 4;
    expect(steps(run(['8@1', '6@9', '8@10', '6@20', '3@21'], { clears, forMs: 5 }))).toEqual([
      ' pending 1',
      ' alerting 10',
      ' normal 21',
    ]);
  });

  it('exactly forMs and keepFiringMs are long enough', () => {
    const times = { forMs: 5, keepFiringMs: 3 };
    expect(steps(run(['8@0', '8@4', '8@5', '1@6', '1@8', '1@9'], times))).toEqual([
      ' pending 0',
      ' alerting 5',
      ' normal 9',
    ]);
  });

  it('every key has its own alert, and a transition says what was observed', () => {
    const transitions = run(['a8@1', 'b1@1', 'b9@2', 'a1@3']);
    expect(steps(transitions)).toEqual(['a alerting 1', 'b alerting 2', 'a normal 3']);
    expect(transitions[1]?.element).toEqual({ host: 'b', value: 9, timeMs: 2 });
  });

  it('ids are the same in a replay, and differ also within an instant and between rules and keys', () => {
    const observations = ['8@1', '1@1', '8@1', '1@2', '8@2', 'a8@2'];
    const ids = run(observations).map(({ id }) => id);
    expect(ids).toEqual(['load//1/0', 'load//1/1', 'load//1/2', 'load//2/0', 'load//2/1', 'load/a/2/0']);
    expect(run(observations).map(({ id }) => id)).toEqual(ids);
    const id = (rule: string, host: string): string | undefined => run([`${host}8@1`], { rule })[0]?.id;
    expect(id('a', '/b')).not.toBe(id('a/', 'b'));
  });

  it('an observation that is older than the last one of its key, or has no time, is ignored', () => {
    const ignored: unknown[] = [];
    const onIgnored = ({ host, timeMs }: Load, reason: string): number => ignored.push([host, timeMs, reason]);
    expect(steps(run(['8@5', '1@4', '1@NaN', 'a1@5', 'a8@4'], { onIgnored }))).toEqual([' alerting 5']);
    expect(ignored).toEqual([
      ['', 4, 'old'],
      ['', NaN, 'old'],
      ['a', 4, 'old'],
    ]);
  });

  it('beyond maxKeys normal keys are forgotten, never alerts; when there are only alerts others are ignored as full', () => {
    const ignored: string[] = [];
    const kept = new KeptState<AlertsState<string>>();
    const onIgnored = ({ host }: Load, reason: string): number => ignored.push(`${host} ${reason}`);
    const config = { maxKeys: 2, onIgnored, state: kept };
    const observations = ['a8@1', 'b1@2', 'c1@3', 'b1@1', 'b8@4', 'd8@5', 'a1@6', 'd8@7'];
    // At b1@1 b has been forgotten, so it is not old.
    expect(steps(run(observations, config))).toEqual(['a alerting 1', 'b alerting 4', 'a normal 6', 'd alerting 7']);
    expect(ignored).toEqual(['d full']);
    const { normal, active } = kept.capture()!;
    expect([normal.map(([key]) => key), active.map(([key]) => key)]).toEqual([[], ['b', 'd']]);
  });

  it('after a restart an alert is not told again, and ends where it would have', () => {
    const config = { forMs: 2, keepFiringMs: 2 };
    const observations = ['8@1', '8@2', '8@3', '9@4', '1@5', '1@6', '1@7', 'b8@7'];
    const whole = run(observations, config);
    for (let cut = 0; cut <= observations.length; cut++) {
      const kept = new KeptState<AlertsState<string>>();
      const before = run(observations.slice(0, cut), { ...config, state: kept });
      const saved = JSON.parse(JSON.stringify(kept.capture())) as AlertsState<string>;
      const after = run(observations.slice(cut), { ...config, state: new KeptState(saved) });
      expect([...before, ...after]).toEqual(whole);
    }
  });

  it('as many keys as maxKeys are remembered, and after a restart too: what is old stays old', () => {
    const kept = new KeptState<AlertsState<string>>();
    const ignored: string[] = [];
    const onIgnored = ({ host }: Load, reason: string): number => ignored.push(`${host} ${reason}`);
    expect(run(['a1@5', 'b1@5', 'a8@4'], { maxKeys: 2, state: kept })).toEqual([]);
    const state = new KeptState(kept.capture());
    expect(run(['a8@4'], { maxKeys: 2, state })).toEqual([]);
    expect(run(['a8@4', 'b8@4'], { maxKeys: 2, state, onIgnored })).toEqual([]);
    expect(ignored).toEqual(['a old', 'b old']);
  });

  it('refuses the state of another rule', () => {
    const errors: unknown[] = [];
    const state = new KeptState<AlertsState<string>>({ version: 1, rule: 'other', normal: [], active: [] });
    from<Load[]>([])
      .pipe(alertState({ ...base, state }))
      .subscribe({ error: (error: unknown) => errors.push(error) });
    const message: unknown = expect.stringContaining('other is not load');
    expect(errors).toMatchObject([{ code: 'MILLRACE_E_STATE_UNFIT', message }]);
  });

  it('knows its types in a pipe', () => {
    const result = from<Load[]>([]).pipe(
      alertState({
        rule: 'r',
        timeOf: ({ timeMs }) => timeMs,
        keyOf: ({ host }) => host,
        breaches: ({ value }) => value > 1,
      }),
    );
    expectTypeOf(result).toEqualTypeOf(from<AlertTransition<Load, string>[]>([]));
  });

  operatorCases<number, AlertTransition<number, string>, AlertsState<string>>({
    operator: (state) => alertState({ rule: 'odd', timeOf: (n) => n, breaches: (n) => n % 2 === 0, state }),
    element: (n) => n,
    firstWith: 1,
    throwing: (error) =>
      alertState({
        rule: 'odd',
        timeOf: (n) => n,
        breaches: () => {
          throw error;
        },
      }),
  });
});
