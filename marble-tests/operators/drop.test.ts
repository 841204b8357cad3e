import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/model/event.js';
import { drop } from '../../src/operators/drop.js';
import { keep } from '../../src/operators/keep.js';
import { placeOf } from '../../src/testing/place-of.js';
import { standingCases } from './standing-cases.js';

describe('drop', () => {
  standingCases(() => drop({ level: 'WARN' }), { level: 'INFO' });

  it('is the opposite of keep: what the one filters, the other lets through', () => {
    const place = placeOf();
    const events = ['WARN', 'INFO', 'odd', undefined].map((level) => place.event({ level, message: 'm' }));
    const through = (operator: ReturnType<typeof keep>): LogEvent[] => {
      const got: LogEvent[] = [];
      from(events)
        .pipe(operator)
        .subscribe((event) => got.push(event));
      return got;
    };
    for (const condition of [{ level: 'WARN' }, { minLevel: 'INFO' }, { field: 'level', exists: true }]) {
      const kept = through(keep(condition));
      expect(through(drop(condition))).toEqual(events.filter((event) => !kept.includes(event)));
    }
    expect(place.counts).toBe('12/0/0');
  });
});
