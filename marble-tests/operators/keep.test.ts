import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/model/event.js';
import { keep } from '../../src/operators/keep.js';
import { placeOf } from '../../src/testing/place-of.js';
import { standingCases } from './standing-cases.js';

describe('keep', () => {
  standingCases(() => keep({ level: 'WARN' }), { level: 'warning' });

  it('lets through what the condition holds for, unchanged, and counts the others', () => {
    const place = placeOf();
    const events = ['WARN', 'INFO', 'warning', 'odd'].map((level) => place.event({ level }));
    const got: LogEvent[] = [];
    from(events)
      .pipe(keep({ level: 'WARN' }))
      .subscribe((event) => got.push(event));
    expect(got).toEqual([events[0], events[2]]);
    expect(got[0]).toBe(events[0]);
    expect(place.counts).toBe('2/0/0');
  });

  it('a faulty pattern is an error of whoever wrote it, not of the first event', () => {
    expect(() => keep({ field: 'message', matches: '(' })).toThrow(SyntaxError);
  });
});
