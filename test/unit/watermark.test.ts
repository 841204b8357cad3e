import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WatermarkMachine } from '../../src/operators/watermark.js';
import type { WatermarkState } from '../../src/operators/watermark.js';
import { inTimeOf, interleaved, lanes, picks } from '../../marble-tests/fakes/lanes.js';

interface Heard {
  readonly lane: string;
  readonly timeMs: number;
}

const config = { timeOf: ({ timeMs }: Heard) => timeMs, laneOf: ({ lane }: Heard) => lane };
const at = (lane: string, timeMs: number): Heard => ({ lane, timeMs });

describe('the watermark', () => {
  it('never goes back, and is the least of what the lanes have seen, less the disorder', () => {
    fc.assert(
      fc.property(lanes(40), picks, fc.nat(20), (all, order, disorderMs) => {
        const newest = new Map<string, number>(
          all.flatMap(([one]) => (one === undefined ? [] : [[one.lane, -Infinity]])),
        );
        let watermarkMs = -Infinity;
        for (const item of inTimeOf(interleaved(all, order), disorderMs)) {
          if (item.kind !== 'element') throw new Error('no clock here');
          const laneMs = Math.max(newest.get(item.lane) ?? -Infinity, item.timeMs);
          newest.set(item.lane, laneMs);
          expect(item.laneWatermarkMs).toBe(laneMs - disorderMs);
          watermarkMs = Math.max(watermarkMs, Math.min(...newest.values()) - disorderMs);
          expect(item.watermarkMs).toBe(watermarkMs);
        }
      }),
    );
  });

  it('is told its clock: the next idle lane is due idleMs after it spoke, whichever spoke meanwhile', () => {
    const machine = new WatermarkMachine({ ...config, idleMs: 10 }, 0);
    expect(machine.dueMs(0)).toBe(Infinity);
    machine.next(at('a', 100), 1);
    machine.next(at('b', 200), 4);
    expect(machine.dueMs(4)).toBe(11);
    machine.next(at('a', 101), 8);
    expect(machine.dueMs(8)).toBe(14);
    expect(machine.tick(14)).toEqual([]);
    expect(machine.dueMs(14)).toBe(18);
    expect(machine.tick(18)).toEqual([{ kind: 'watermark', watermarkMs: 200 }]);
    expect(machine.dueMs(18)).toBe(Infinity);
  });

  it('a lane that wakes up is seen to fall idle again, though the clock is followed much later', () => {
    const machine = new WatermarkMachine({ ...config, idleMs: 10, followClockAfterMs: 1000 }, 0);
    machine.next(at('a', 100), 0);
    expect(machine.tick(10)).toEqual([]);
    expect(machine.dueMs(10)).toBe(20);
    machine.signal({ lane: 'b', is: 'held' }, 11);
    expect(machine.dueMs(11)).toBe(21);
  });

  it('can be saved and gone on from: what is late stays late, and no lane is forgotten', () => {
    const machine = new WatermarkMachine({ ...config, maxDisorderMs: 5 }, 0);
    machine.signal({ lane: 'c', is: 'open' }, 0);
    machine.next(at('a', 100), 0);
    const waiting = JSON.parse(JSON.stringify(machine.capture())) as WatermarkState;
    expect(waiting).toEqual({
      version: 1,
      watermarkMs: null,
      greatestMs: 100,
      lanes: [
        ['c', null],
        ['a', 100],
      ],
    });
    machine.next(at('c', 90), 0);
    const saved = JSON.parse(JSON.stringify(machine.capture())) as WatermarkState;
    const restored = new WatermarkMachine({ ...config, maxDisorderMs: 5 }, 7, saved);
    expect(restored.capture()).toEqual(saved);
    expect(restored.next(at('a', 50), 8)).toMatchObject([{ laneWatermarkMs: 95, watermarkMs: 85 }]);
    expect(restored.next(at('c', 120), 8)).toMatchObject([{ laneWatermarkMs: 115, watermarkMs: 95 }]);
  });

  it('asks for no clock that it does not need', () => {
    expect(new WatermarkMachine(config, 0).usesClock).toBe(false);
    expect(new WatermarkMachine({ ...config, idleMs: 1 }, 0).usesClock).toBe(true);
    expect(new WatermarkMachine({ ...config, followClockAfterMs: 1 }, 0).usesClock).toBe(true);
    expect(new WatermarkMachine({ ...config, maxAheadMs: 1 }, 0).usesClock).toBe(true);
  });
});
