import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Earliest } from '../../src/operators/earliest.js';

describe('Earliest', () => {
  it('gives back by time whatever the order it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(50))), (moves) => {
        const queue = new Earliest<number>();
        let model: number[] = [];
        for (const dueMs of moves) {
          if (dueMs === null) {
            const [least, ...rest] = model.sort((one, other) => one - other);
            model = rest;
            expect(queue.take()).toBe(least);
          } else {
            model.push(dueMs);
            queue.add(dueMs, dueMs);
          }
          expect(queue.dueMs).toBe(Math.min(...model));
        }
      }),
    );
  });
});
