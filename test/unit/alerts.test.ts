import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertsMachine, nextAlert } from '../../src/operators/alerts.js';
import type { Alert, AlertsState, Observation } from '../../src/operators/alerts.js';

const normal: Alert = { status: 'normal', sinceMs: null, clearSinceMs: null, lastMs: 0, transitions: 0 };
const breach = (timeMs: number): Observation => ({ timeMs, isBreach: true, isClear: false });
const clear = (timeMs: number): Observation => ({ timeMs, isBreach: false, isClear: true });
const neither = (timeMs: number): Observation => ({ timeMs, isBreach: false, isClear: false });

function after(observations: readonly Observation[], forMs: number, keepFiringMs: number): Alert {
  return observations.reduce((alert, observation) => nextAlert(alert, observation, { forMs, keepFiringMs }), normal);
}

describe('nextAlert', () => {
  it('counts a breach from its beginning', () => {
    expect(after([clear(3)], 5, 0)).toEqual({ ...normal, lastMs: 3 });
    expect(after([breach(3)], 5, 0)).toEqual({ ...normal, status: 'pending', sinceMs: 3, lastMs: 3 });
    expect(after([breach(3), breach(7)], 5, 0)).toMatchObject({ status: 'pending', sinceMs: 3, lastMs: 7 });
    expect(after([breach(3), breach(8)], 5, 0)).toMatchObject({ status: 'alerting', sinceMs: 3 });
    expect(after([breach(3), neither(8)], 5, 0)).toMatchObject({ status: 'pending', sinceMs: 3 });
    expect(after([breach(3), clear(4)], 5, 0)).toEqual({ ...normal, lastMs: 4 });
    expect(after([breach(3)], 0, 0)).toMatchObject({ status: 'alerting', sinceMs: 3 });
  });

  it('counts the silence from its beginning, and anew after a break', () => {
    const alerting = [breach(1), clear(3)];
    expect(after(alerting, 0, 4)).toMatchObject({ status: 'alerting', sinceMs: 1, clearSinceMs: 3 });
    expect(after([...alerting, clear(6)], 0, 4)).toMatchObject({ status: 'alerting', clearSinceMs: 3 });
    expect(after([...alerting, clear(7)], 0, 4)).toEqual({ ...normal, lastMs: 7 });
    for (const broken of [breach(5), neither(5)]) {
      expect(after([...alerting, broken], 0, 4)).toMatchObject({ status: 'alerting', clearSinceMs: null });
      expect(after([...alerting, broken, clear(7)], 0, 4)).toMatchObject({ status: 'alerting', clearSinceMs: 7 });
    }
    expect(after(alerting, 0, 0)).toEqual({ ...normal, lastMs: 3 });
  });

  it('counts the transitions of one instant', () => {
    const twice: Alert = { ...normal, lastMs: 5, transitions: 2 };
    expect(nextAlert(twice, clear(5), { forMs: 0, keepFiringMs: 0 }).transitions).toBe(2);
    expect(nextAlert(twice, clear(6), { forMs: 0, keepFiringMs: 0 }).transitions).toBe(0);
  });
});

const observations = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), ms: fc.nat(5), value: fc.integer({ min: 0, max: 9 }) }),
  { maxLength: 60 },
);
const times = fc.record({ forMs: fc.nat(9), keepFiringMs: fc.nat(9), maxKeys: fc.integer({ min: 1, max: 5 }) });

describe('alerts', () => {
  it('of each key change one step at a time, never to where they are, never back in time, never with the same id', () => {
    fc.assert(
      fc.property(observations, times, (steps, config) => {
        const machine = machineOf(config);
        const status = new Map<string, string>();
        const ids = new Set<string>();
        for (const step of timed(steps)) {
          for (const { id, key, from, to, timeMs, sinceMs } of machine.next(step)) {
            expect(from).toBe(status.get(key) ?? 'normal');
            expect(to).not.toBe(from);
            expect(sinceMs).toBeLessThanOrEqual(timeMs);
            if (to === 'alerting') expect(timeMs - sinceMs).toBeGreaterThanOrEqual(config.forMs);
            expect(ids.has(id)).toBe(false);
            ids.add(id);
            status.set(key, to);
          }
          const { normal: quiet, active } = machine.capture();
          expect(quiet.length + active.length).toBeLessThanOrEqual(config.maxKeys);
          expect(active.map(([key]) => key).sort()).toEqual(
            [...status]
              .filter(([, to]) => to !== 'normal')
              .map(([key]) => key)
              .sort(),
          );
        }
      }),
    );
  });

  it('go on from a snapshot at any point as if they had never stopped', () => {
    fc.assert(
      fc.property(observations, times, fc.nat(60), (steps, config, cut) => {
        const all = timed(steps);
        const [whole, first] = [machineOf(config), machineOf(config)];
        const before = all.slice(0, cut).flatMap((step) => first.next(step));
        const second = machineOf(config, JSON.parse(JSON.stringify(first.capture())) as AlertsState<string>);
        const rest = all.slice(cut).flatMap((step) => second.next(step));
        expect([...before, ...rest]).toEqual(all.flatMap((step) => whole.next(step)));
      }),
    );
  });
});

interface Step {
  readonly key: string;
  readonly timeMs: number;
  readonly value: number;
}

function timed(steps: readonly { readonly key: string; readonly ms: number; readonly value: number }[]): Step[] {
  let timeMs = 0;
  return steps.map(({ key, ms, value }) => ({ key, timeMs: (timeMs += ms), value }));
}

function machineOf(
  config: { readonly forMs: number; readonly keepFiringMs: number; readonly maxKeys: number },
  saved?: AlertsState<string>,
): AlertsMachine<Step, string> {
  const rule = {
    rule: 'load',
    timeOf: ({ timeMs }: Step) => timeMs,
    keyOf: ({ key }: Step) => key,
    breaches: ({ value }: Step) => value > 6,
    clears: ({ value }: Step) => value < 4,
  };
  return new AlertsMachine({ ...rule, ...config }, saved);
}
