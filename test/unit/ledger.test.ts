import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addCounts, addLedgers, emptyLedger, isExact, noCounts } from '../../src/flow/ledger.js';
import type { Counts } from '../../src/flow/ledger.js';

const counts: fc.Arbitrary<Counts> = fc.record({
  read: fc.nat(99),
  expanded: fc.nat(99),
  filtered: fc.nat(99),
  delivered: fc.nat(99),
  deadLettered: fc.nat(99),
  duplicates: fc.nat(99),
});
const exact = counts.map((some): Counts => {
  const outcomes = some.filtered + some.delivered + some.deadLettered + some.duplicates;
  return { ...some, read: outcomes, expanded: 0 };
});

describe('counts', () => {
  it('add up field by field', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const sum = addCounts(a, b);
        for (const key of Object.keys(noCounts) as (keyof Counts)[]) expect(sum[key]).toBe(a[key] + b[key]);
        expect(addCounts(a, noCounts)).toEqual(a);
      }),
    );
  });

  it('exact ones stay exact, and one that is off by one is not', () => {
    fc.assert(
      fc.property(
        exact,
        exact,
        fc.constantFrom<keyof Counts>('read', 'filtered', 'delivered', 'duplicates'),
        (a, b, key) => {
          const sum = addCounts(a, b);
          expect(isExact(sum)).toBe(true);
          expect(isExact({ ...sum, [key]: sum[key] + 1 })).toBe(false);
          expect(isExact({ ...sum, expanded: 1, deadLettered: sum.deadLettered + 1 })).toBe(true);
        },
      ),
    );
  });
});

describe('ledgers', () => {
  it('add up leg by leg', () => {
    fc.assert(
      fc.property(counts, counts, counts, (total, a, b) => {
        const one = { total, legs: { a, b } };
        expect(addLedgers(emptyLedger(['a', 'b']), one)).toEqual(one);
        expect(addLedgers(one, one)).toEqual({
          total: addCounts(total, total),
          legs: { a: addCounts(a, a), b: addCounts(b, b) },
        });
      }),
    );
  });

  it('a leg that a batch says nothing of keeps what it has', () => {
    const a = { ...noCounts, read: 1 };
    expect(addLedgers({ total: a, legs: { a } }, emptyLedger([])).legs).toEqual({ a });
  });

  it('a leg that was not named before comes with what is added', () => {
    const a = { ...noCounts, read: 1 };
    expect(addLedgers(emptyLedger([]), { total: a, legs: { a } })).toEqual({ total: a, legs: { a } });
  });
});
