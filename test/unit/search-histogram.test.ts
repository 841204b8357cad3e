import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { histogramLines, timeAxis } from '../../src/service/search-histogram.js';

const at = (time: string): number => Date.parse(time);

describe('timeAxis', () => {
  it('takes the narrowest round stretches that fit', () => {
    expect(timeAxis(at('2026-03-09T10:00:03Z'), at('2026-03-09T10:59:59Z'))).toEqual({
      startMs: at('2026-03-09T10:00:00Z'),
      widthMs: 60_000,
      buckets: 60,
    });
    expect(timeAxis(5, 5)).toEqual({ startMs: 5, widthMs: 1, buckets: 1 });
  });

  it('takes in both ends, in at most 60 stretches, however far apart they are', () => {
    const time = fc.integer({ min: 0, max: at('9999-12-31T23:59:59Z') });
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)];
        const { startMs, widthMs, buckets } = timeAxis(first, last);
        expect(buckets).toBeLessThanOrEqual(60);
        expect(startMs).toBeLessThanOrEqual(first);
        expect(startMs + widthMs).toBeGreaterThan(first);
        expect(startMs + widthMs * buckets).toBeGreaterThan(last);
        expect(startMs + widthMs * (buckets - 1)).toBeLessThanOrEqual(last);
      }),
    );
  });
});

describe('histogramLines', () => {
  const axis = { startMs: at('2026-03-09T10:00:00Z'), widthMs: 60_000, buckets: 5 };

  it('draws bars of four lines, and shows what is ever so few', () => {
    expect(histogramLines([0, 1, 1000, 500, 250], axis, false)).toEqual([
      '  █   1000 in 1 min at most',
      '  █',
      '  ██',
      ' ▁███ 1751 in all',
      '2026-03-09T10:00Z   2026-03-09T10:05Z',
    ]);
  });

  it('draws nothing for nothing', () => {
    expect(histogramLines([0, 0, 0, 0, 0], axis, false)[3]).toBe('      0 in all');
  });

  it('dims only for terminals', () => {
    expect(histogramLines([1], axis, false).join('')).not.toContain('\u001b');
    expect(histogramLines([1], axis, true).join('')).toContain('\u001b[2m');
  });
});
