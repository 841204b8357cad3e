import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { severityOf } from '../../src/model/severity.js';
import { severityOnly, testOf } from '../../src/operators/condition.js';
import type { Condition } from '../../src/operators/condition.js';
import { placeOf } from '../../src/testing/place-of.js';

type Fields = Readonly<Record<string, unknown>>;

function holds(condition: Condition, own: Fields, origin: Fields = {}): boolean {
  return testOf(condition)(placeOf(origin).event(own));
}

describe('level', () => {
  it('compares severities by name, without case, with aliases', () => {
    for (const level of ['WARN', 'warn', 'Warning', ' w ']) {
      expect(holds({ level: 'WARN' }, { level })).toBe(true);
      expect(holds({ level: ['error', 'warning'] }, { level })).toBe(true);
      expect(holds({ level: 'ERROR' }, { level })).toBe(false);
    }
  });

  it('asks what normalize found before the raw level', () => {
    expect(holds({ level: 'ERROR' }, { 'event.severity': 17, 'log.level': 'INFO', level: 'INFO' })).toBe(true);
    expect(holds({ level: 'ERROR' }, { 'log.level': 'err', level: 'INFO' })).toBe(true);
    expect(holds({ level: 'INFO' }, { 'event.severity': '17', level: 'INFO' })).toBe(true);
  });

  it('looks at fields of the origin, and the event’s own come first', () => {
    expect(holds({ level: 'ERROR' }, {}, { 'log.level': 'err' })).toBe(true);
    expect(holds({ level: 'ERROR' }, { 'log.level': 'info' }, { 'log.level': 'err' })).toBe(false);
  });

  it('an unknown or missing level is none of them', () => {
    for (const own of [{ level: 'odd' }, {}, { level: 13 }, { level: null }]) {
      expect(holds({ level: 'WARN' }, own)).toBe(false);
      expect(holds({ minLevel: 'TRACE' }, own)).toBe(false);
    }
  });
});

describe('minLevel', () => {
  it('is this level or a more severe one', () => {
    const passing = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].filter((level) =>
      holds({ minLevel: 'warning' }, { level }),
    );
    expect(passing).toEqual(['WARN', 'ERROR', 'FATAL']);
  });

  it('and level hold together', () => {
    expect(holds({ level: ['INFO', 'ERROR'], minLevel: 'WARN' }, { level: 'ERROR' })).toBe(true);
    expect(holds({ level: ['INFO', 'ERROR'], minLevel: 'WARN' }, { level: 'INFO' })).toBe(false);
  });
});

describe('field', () => {
  it('equals: one value, or one of a list, of the same type', () => {
    expect(holds({ field: 'a', equals: 1 }, { a: 1 })).toBe(true);
    expect(holds({ field: 'a', equals: 1 }, { a: '1' })).toBe(false);
    expect(holds({ field: 'a', equals: ['x', true, null] }, { a: true })).toBe(true);
    expect(holds({ field: 'a', equals: ['x', true, null] }, { a: null })).toBe(true);
    expect(holds({ field: 'a', equals: ['x', true, null] }, {})).toBe(false);
    expect(holds({ field: 'a', equals: [] }, { a: 1 })).toBe(false);
  });

  it('contains and matches look at texts', () => {
    expect(holds({ field: 'a', contains: 'b' }, { a: 'abc' })).toBe(true);
    expect(holds({ field: 'a', contains: 'B' }, { a: 'abc' })).toBe(false);
    expect(holds({ field: 'a', contains: '1' }, { a: 1 })).toBe(false);
    expect(holds({ field: 'a', matches: '^a.c$' }, { a: 'a\u{1f600}c' })).toBe(true);
    expect(holds({ field: 'a', matches: '.' }, { a: 1 })).toBe(false);
  });

  it('a pattern remembers nothing, and sees no more than its limit', () => {
    const test = testOf({ field: 'a', matches: 'x', maxInputChars: 3 });
    const event = placeOf().event({ a: 'aax' });
    expect([test(event), test(event)]).toEqual([true, true]);
    expect(test(placeOf().event({ a: 'aaax' }))).toBe(false);
  });

  it('exists: there or not, null is there', () => {
    expect(holds({ field: 'a', exists: true }, { a: null })).toBe(true);
    expect(holds({ field: 'a', exists: true }, {})).toBe(false);
    expect(holds({ field: 'a', exists: false }, {})).toBe(true);
    expect(holds({ field: 'a', exists: true }, {}, { a: 1 })).toBe(true);
  });

  it('all that is given must hold', () => {
    const condition = { level: 'ERROR', field: 'a', contains: 'b', matches: 'c$' };
    expect(holds(condition, { level: 'err', a: 'abc' })).toBe(true);
    expect(holds(condition, { level: 'err', a: 'bbb' })).toBe(false);
    expect(holds(condition, { level: 'info', a: 'abc' })).toBe(false);
    expect(holds({}, {})).toBe(true);
  });
});

describe('numbers', () => {
  it('compares numbers and texts that are numbers; nothing else is greater or less', () => {
    expect(holds({ field: 'a', gt: 5 }, { a: 5 })).toBe(false);
    expect(holds({ field: 'a', gte: 5 }, { a: 5 })).toBe(true);
    expect(holds({ field: 'a', lt: 5 }, { a: 5 })).toBe(false);
    expect(holds({ field: 'a', lte: 5 }, { a: 5 })).toBe(true);
    expect(holds({ field: 'a', gte: 1, lt: 2 }, { a: 1.5 })).toBe(true);
    expect(holds({ field: 'a', gte: 1, lt: 2 }, { a: 2 })).toBe(false);
    for (const a of ['10', ' 10 ', '1e1', '+10.0', '10.', 10n.toString()])
      expect(holds({ field: 'a', gt: 9 }, { a })).toBe(true);
    for (const a of ['', ' ', 'ten', '0x10', '10ms', 'Infinity', null, true, Number.NaN, [10], `1${'0'.repeat(64)}`]) {
      expect(holds({ field: 'a', gt: -1e9 }, { a })).toBe(false);
      expect(holds({ field: 'a', lte: 1e9 }, { a })).toBe(false);
    }
    expect(holds({ field: 'a', lt: -1 }, { a: '-1.5' })).toBe(true);
    expect(holds({ field: 'a', gt: 0 }, {})).toBe(false);
  });
});

describe('and, or, not', () => {
  const isA: Condition = { field: 'a', equals: 1 };
  const isB: Condition = { field: 'b', equals: 1 };

  it('all, at least one, none', () => {
    for (const a of [0, 1]) {
      for (const b of [0, 1]) {
        const own = { a, b };
        expect(holds({ and: [isA, isB] }, own)).toBe(a === 1 && b === 1);
        expect(holds({ or: [isA, isB] }, own)).toBe(a === 1 || b === 1);
        expect(holds({ not: isA }, own)).toBe(a === 0);
        expect(holds({ not: [isA, isB] }, own)).toBe(a === 0 && b === 0);
        expect(holds({ ...isA, or: [{ not: isA }, isB] }, own)).toBe(a === 1 && b === 1);
      }
    }
  });

  it('what is not known to be a level is not one: the opposite holds', () => {
    expect(holds({ not: { level: 'ERROR' } }, {})).toBe(true);
    expect(holds({ not: { minLevel: 'TRACE' } }, { level: 'odd' })).toBe(true);
  });

  it('severityOnly says for every known severity what the test says', () => {
    const leaf = fc.oneof(
      fc.record({ level: fc.constantFrom('ERROR', 'warn', 'INFO') }),
      fc.record({ minLevel: fc.constantFrom('ERROR', 'warn', 'INFO') }),
      fc.constant<Condition>({ field: 'a', equals: 1 }),
    );
    const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.record({ and: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
        fc.record({ or: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
        fc.record({ not: tie('tree'), minLevel: fc.constant('INFO') }),
      ),
    }));
    fc.assert(
      fc.property(tree, (condition) => {
        const admits = severityOnly(condition);
        expect(admits === undefined).toBe(JSON.stringify(condition).includes('"field"'));
        for (const level of ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']) {
          if (admits !== undefined) expect(admits(severityOf(level)!)).toBe(holds(condition, { level }));
        }
      }),
    );
  });
});
