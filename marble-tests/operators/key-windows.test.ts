import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyWindows } from '../../src/operators/key-windows.js';

describe('KeyWindows', () => {
  it('lets so many of a key pass in a window that the first one opens', () => {
    const windows = new KeyWindows<string>({ perMs: 10, max: 2, maxKeys: 9 });
    expect([0, 5, 9, 10, 19, 20].map((now) => windows.admit('a', now))).toEqual([true, true, false, true, true, true]);
  });

  it('forgets what is over, and if that is not enough, the oldest', () => {
    const windows = new KeyWindows<string>({ perMs: 10, max: 1, maxKeys: 2 });
    for (const [key, now] of [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ] as const)
      windows.admit(key, now);
    expect(windows.size).toBe(2);
    expect(windows.admit('b', 3)).toBe(false);
    expect(windows.admit('a', 3)).toBe(true);
    windows.admit('d', 50);
    expect(windows.size).toBe(1);
  });

  it('agrees with a list of everything that passed, and keeps no more keys than it may', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), waitMs: fc.nat(6) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 3 }), (steps, max) => {
        const windows = new KeyWindows<string>({ perMs: 10, max, maxKeys: 3 });
        const open = new Map<string, { at: number; count: number }>();
        let now = 0;
        for (const { key, waitMs } of steps) {
          now += waitMs;
          const window = open.get(key);
          const isOpen = window !== undefined && now < window.at + 10;
          expect(windows.admit(key, now)).toBe(!isOpen || window.count < max);
          if (!isOpen) open.set(key, { at: now, count: 1 });
          else if (window.count < max) window.count++;
          expect(windows.size).toBeLessThanOrEqual(3);
        }
      }),
    );
  });
});
