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

  it('the lane that spoke last is waited for again when it speaks after it was idle', () => {
    const machine = new WatermarkMachine({ ...config, idleMs: 10 }, 0);
    machine.next(at('b', 100), 0);
    machine.signal({ lane: 'b', is: 'held' }, 0);
    machine.next(at('a', 50), 1);
    expect(machine.tick(11)).toEqual([]);
    machine.next(at('a', 120), 12);
    expect(machine.next(at('b', 200), 13)).toMatchObject([{ watermarkMs: 120 }]);
  });

  it('has nothing due while there is no lane, and is saved without infinities', () => {
    const machine = new WatermarkMachine({ ...config, idleMs: 10, followClockAfterMs: 1000 }, 0);
    expect(machine.dueMs(0)).toBe(Infinity);
    machine.signal({ lane: 'a', is: 'open' }, 0);
    expect(machine.capture()).toEqual({ version: 1, watermarkMs: null, greatestMs: null, lanes: [['a', null]] });
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

  it('waits again for a lane that was idle: when it speaks, and when its reader says that it is there', () => {
    for (const wake of ['speaks', 'held', 'open'] as const) {
      const machine = new WatermarkMachine({ ...config, idleMs: 10 }, 0);
      machine.next(at('b', 5), 0);
      machine.next(at('a', 9), 1);
      machine.tick(10);
      if (wake === 'speaks') machine.next(at('b', 6), 11);
      else machine.signal({ lane: 'b', is: wake }, 11);
      const [moved] = machine.next(at('a', 20), 11);
      expect(moved?.watermarkMs).toBe(9);
      const [caughtUp] = machine.next(at('b', 15), 12);
      expect(caughtUp?.watermarkMs).toBe(15);
    }
  });

  it('a lane that ended and comes again is a new one, and is waited for', () => {
    const machine = new WatermarkMachine(config, 0);
    machine.next(at('b', 1), 0);
    machine.next(at('a', 9), 0);
    machine.signal({ lane: 'a', is: 'ended' }, 0);
    machine.signal({ lane: 'x', is: 'ended' }, 0);
    expect(machine.next(at('a', 3), 0)).toMatchObject([{ laneWatermarkMs: 3, watermarkMs: 1 }]);
    expect(machine.next(at('b', 8), 0)).toMatchObject([{ laneWatermarkMs: 8, watermarkMs: 3 }]);
  });

  it('a saved lane without an element is still waited for', () => {
    const saved: WatermarkState = {
      version: 1,
      watermarkMs: null,
      greatestMs: 5,
      lanes: [
        ['c', null],
        ['a', 5],
      ],
    };
    const machine = new WatermarkMachine(config, 0, saved);
    expect(machine.next(at('a', 9), 0)).toMatchObject([{ watermarkMs: -Infinity }]);
    expect(machine.next(at('c', 7), 0)).toMatchObject([{ watermarkMs: 7 }]);
  });

  it('does not follow the clock while one of several lanes is held', () => {
    const machine = new WatermarkMachine({ ...config, followClockAfterMs: 10 }, 0);
    machine.next(at('a', 1), 0);
    machine.next(at('b', 1), 0);
    machine.signal({ lane: 'a', is: 'held' }, 0);
    expect(machine.tick(50)).toEqual([]);
    machine.signal({ lane: 'a', is: 'released' }, 50);
    expect(machine.tick(50)).toEqual([{ kind: 'watermark', watermarkMs: 41 }]);
  });

  it('believes what is exactly maxAheadMs ahead, and needs nobody to hear of what it puts aside', () => {
    const machine = new WatermarkMachine({ ...config, maxAheadMs: 10 }, 0);
    expect(machine.next(at('a', 15), 5)).toHaveLength(1);
    expect(machine.next(at('a', 16), 5)).toEqual([]);
  });
});
