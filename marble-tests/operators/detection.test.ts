import { concat, from, NEVER } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { alertState, countOf, dynamicThreshold, KeptState, tumblingWindow, withWatermark } from '../../src/index.js';
import type { AlertsState, AlertTransition, Judged, PanesState, ThresholdState } from '../../src/index.js';
import type { WatermarkState, WindowResult } from '../../src/index.js';

interface Failure {
  readonly host: string;
  readonly timeMs: number;
}

type Changed = AlertTransition<Judged<WindowResult<string, number>, string>, string>;

/** So many failures in each second of a host. */
function failures(host: string, perSecond: readonly number[]): Failure[] {
  return perSecond.flatMap((count, second) =>
    Array.from({ length: count }, (_, n) => ({ host, timeMs: 1000 * second + Math.floor((1000 * n) / count) })),
  );
}

class States {
  readonly watermark: KeptState<WatermarkState>;
  readonly panes: KeptState<PanesState<number, string>>;
  readonly baselines: KeptState<ThresholdState<string>>;
  readonly alerts: KeptState<AlertsState<string>>;

  constructor(saved?: string) {
    const states = saved === undefined ? [] : (JSON.parse(saved) as unknown[]);
    this.watermark = new KeptState(states[0] as WatermarkState | undefined);
    this.panes = new KeptState(states[1] as PanesState<number, string> | undefined);
    this.baselines = new KeptState(states[2] as ThresholdState<string> | undefined);
    this.alerts = new KeptState(states[3] as AlertsState<string> | undefined);
  }

  toString(): string {
    return JSON.stringify([this.watermark, this.panes, this.baselines, this.alerts].map((each) => each.capture()));
  }
}

describe('from events to alerts', () => {
  const calm = [4, 5, 6, 5, 4];
  const all = [...failures('a', [...calm, 5, 40, 45, 5, 4, 5]), ...failures('b', [...calm, 6, 5, 4, 5, 6, 5])].sort(
    (one, other) => one.timeMs - other.timeMs,
  );

  /** Every change of an alert. */
  const run = (events: Observable<Failure>, states = new States()): Changed[] => {
    const transitions: Changed[] = [];
    const alerts$ = events.pipe(
      withWatermark({ timeOf: (failure) => failure.timeMs, maxDisorderMs: 100, state: states.watermark }),
      tumblingWindow({ sizeMs: 1000, keyOf: (failure) => failure.host, reducer: countOf(), state: states.panes }),
      dynamicThreshold({
        valueOf: (window) => window.value,
        keyOf: (window) => window.key,
        maxDeviation: 4,
        state: states.baselines,
      }),
      alertState({
        rule: 'failures',
        keyOf: (judged) => judged.key,
        timeOf: (judged) => judged.element.endMs,
        breaches: (judged) => judged.isBreach,
        keepFiringMs: 2000,
        state: states.alerts,
      }),
    );
    expectTypeOf(alerts$).toEqualTypeOf(from<Changed[]>([]));
    alerts$.subscribe((transition) => transitions.push(transition));
    return transitions;
  };

  it('watermark, window, threshold and alert are one pipe', () => {
    expect(run(from(all)).map(({ id, to, element }) => `${id} ${to} at ${element.value}`)).toEqual([
      'failures/a/7000/0 alerting at 40',
      'failures/a/10000/0 normal at 4',
    ]);
  });

  it('the states, taken at one instant, belong together: a restart anywhere changes nothing', () => {
    const whole = run(from(all));
    for (let cut = 0; cut <= all.length; cut += 7) {
      const states = new States();
      // Stopped, not completed: what is open stays open.
      const before = run(concat(from(all.slice(0, cut)), NEVER), states);
      const after = run(from(all.slice(cut)), new States(states.toString()));
      expect([...before, ...after]).toEqual(whole);
    }
  });
});
