import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeptState } from '../../src/operators/kept-state.js';
import { Recent } from '../../src/operators/recent.js';

describe('Recent', () => {
  it('keeps the keys that were seen last, whatever the order', () => {
    const moves = fc.array(fc.tuple(fc.nat(6), fc.boolean()), { maxLength: 80 });
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 5 }), (keys, max) => {
        const recent = new Recent<number, string>(max);
        let model: number[] = [];
        for (const [key, isDeleted] of keys) {
          const wasThere = model.includes(key);
          model = model.filter((other) => other !== key);
          if (isDeleted) recent.delete(key);
          else {
            expect(recent.see(key)).toBe(wasThere ? `${key}` : undefined);
            const gone = model.length >= max ? model.shift() : undefined;
            if (!wasThere)
              expect(recent.add(key, `${key}`)).toEqual(gone === undefined ? undefined : [gone, `${gone}`]);
            model.push(key);
          }
          expect([...recent].map(([each]) => each)).toEqual(model);
          expect(recent.size).toBe(model.length);
          expect(recent.oldest?.[0]).toBe(model[0]);
        }
      }),
    );
  });
});

describe('KeptState', () => {
  it('gives what was saved until an operator tells it more', () => {
    const kept = new KeptState<number>(3);
    expect(kept.capture()).toBe(3);
    kept.connect(() => 4);
    expect([kept.saved, kept.capture()]).toEqual([3, 4]);
    expect(new KeptState<number>().capture()).toBeUndefined();
  });
});
