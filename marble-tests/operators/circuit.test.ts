import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { Circuit } from '../../src/operators/circuit.js';
import type { CircuitConfig } from '../../src/operators/circuit.js';

/** Calls that end at once: `x` failed, `.` did not, at times 0, 1, 2 …; gives `r` for those that were rejected. */
function calls(circuit: Circuit, outcomes: string, from = 0): string {
  return Array.from(outcomes, (outcome, at) => {
    const permission = circuit.admit(from + at);
    if (permission === undefined) return 'r';
    circuit.settle(permission, outcome === 'x', from + at);
    return outcome;
  }).join('');
}

const config: CircuitConfig = { failureRatio: 0.5, windowCalls: 4, minCalls: 2, openMs: 100, halfOpenCalls: 2 };

describe('Circuit', () => {
  it('is closed; opens when half of the last calls failed; rejects while it is open', () => {
    const circuit = new Circuit(config);
    expect(calls(circuit, '...x')).toBe('...x');
    expect(circuit.state).toBe('closed');
    expect(calls(circuit, 'x.')).toBe('xr');
    expect(circuit.state).toBe('open');
  });

  it('fewer calls than minCalls say nothing', () => {
    const circuit = new Circuit({ ...config, minCalls: 3 });
    expect(calls(circuit, 'xx')).toBe('xx');
    expect(circuit.state).toBe('closed');
    expect(calls(circuit, '.')).toBe('.');
    expect(circuit.state).toBe('open');
  });

  it('looks at the last calls only', () => {
    const circuit = new Circuit(config);
    calls(circuit, '.x....x..x');
    expect(circuit.state).toBe('open');
    const patient = new Circuit({ ...config, minCalls: 4 });
    calls(patient, '.x....x...x...');
    expect(patient.state).toBe('closed');
  });

  it('is half-open exactly openMs later: so many calls may try', () => {
    const circuit = new Circuit(config);
    calls(circuit, 'xx');
    expect(circuit.admit(100)).toBeUndefined();
    const permissions = [circuit.admit(101), circuit.admit(101), circuit.admit(101)];
    expect(permissions.map((each) => each !== undefined)).toEqual([true, true, false]);
    expect(circuit.state).toBe('halfOpen');
  });

  it('closes when they succeed, with a clean slate', () => {
    const circuit = new Circuit(config);
    calls(circuit, 'xx');
    expect(calls(circuit, '..', 200)).toBe('..');
    expect(circuit.state).toBe('closed');
    expect(calls(circuit, 'x', 300)).toBe('x');
    expect(circuit.state).toBe('closed');
  });

  it('opens again when they fail, for the whole time', () => {
    const circuit = new Circuit(config);
    calls(circuit, 'xx');
    expect(calls(circuit, '.x', 200)).toBe('.x');
    expect(circuit.state).toBe('open');
    expect(circuit.admit(300)).toBeUndefined();
    expect(circuit.admit(301)).toBeDefined();
  });

  it('a result that comes when the state has changed does not count', () => {
    const circuit = new Circuit(config);
    const late = circuit.admit(0) ?? 0;
    calls(circuit, 'xx');
    circuit.admit(200);
    for (let at = 0; at < 9; at++) circuit.settle(late, true, 200);
    expect(circuit.state).toBe('halfOpen');
  });

  it('a call that was given up makes room for another while it is half-open', () => {
    const circuit = new Circuit(config);
    calls(circuit, 'xx');
    const permission = circuit.admit(200) ?? 0;
    circuit.admit(200);
    expect(circuit.admit(200)).toBeUndefined();
    circuit.release(permission);
    expect(circuit.admit(200)).toBeDefined();
  });

  it('tells of every change', () => {
    const changes: string[] = [];
    const circuit = new Circuit({ ...config, onChange: (to, from) => changes.push(`${from} → ${to}`) });
    calls(circuit, 'xx');
    calls(circuit, '..', 200);
    expect(changes).toEqual(['closed → open', 'open → halfOpen', 'halfOpen → closed']);
  });

  it('with a ratio of 0 the first failure opens it, and no success does', () => {
    const circuit = new Circuit({ ...config, failureRatio: 0, minCalls: 1 });
    expect(calls(circuit, '...x.')).toBe('...xr');
  });

  it('refuses what makes no sense', () => {
    expect(() => new Circuit({ windowCalls: 0 })).toThrow('windowCalls is 0');
    expect(() => new Circuit({ openMs: -1 })).toThrow('openMs is -1');
  });

  it('never lets a call through while it is open, and never stays open longer than it should', () => {
    const step = fc.record({ waitMs: fc.nat(60), hasFailed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (script) => {
        let openedAt = -Infinity;
        let now = 0;
        const circuit = new Circuit({ ...config, onChange: (to) => (openedAt = to === 'open' ? now : -Infinity) });
        for (const { waitMs, hasFailed } of script) {
          now += waitMs;
          const wasOpenSince = openedAt;
          const permission = circuit.admit(now);
          if (now - wasOpenSince < 100) expect(permission).toBeUndefined();
          else expect(permission).toBeDefined();
          if (permission !== undefined) circuit.settle(permission, hasFailed, now);
        }
      }),
    );
  });
});
