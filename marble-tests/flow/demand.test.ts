import { concatMap, defer, map, range } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Budget } from '../../src/flow/demand.js';
import { marbles } from '../marbles.js';

/** Reserves, and keeps in `order` who was served. */
function reserving(budget: Budget, order: string[]): (lane: string, bytes: number, name?: string) => void {
  return (lane, bytes, name = lane) => {
    budget.reserve(lane, bytes).subscribe(() => order.push(name));
  };
}

describe('Budget', () => {
  it(
    'is open up to the cap, shut at it, and open again at half',
    marbles(({ cold, expectObservable }) => {
      const budget = new Budget({ budgetBytes: 8, laneBytes: 8 });
      const reserve = (): Observable<void> => budget.reserve('a', 4);
      const release = (bytes: number): void => budget.release('a', bytes);
      const wants = cold('     a-a-a---------|      ');
      const settles = cold('   -----3--1--|         ').pipe(map((bytes) => release(Number(bytes))));
      const served = '         r-r-----r-----|      ';
      expectObservable(
        wants.pipe(
          concatMap(reserve),
          map(() => 'r'),
        ),
      ).toBe(served);
      expectObservable(settles).toBe('-----x--y--|', { x: undefined, y: undefined });
    }),
  );

  it('a batch larger than every cap fits when there is nothing else', () => {
    const budget = new Budget({ budgetBytes: 8 });
    const order: string[] = [];
    const reserve = reserving(budget, order);
    reserve('a', 100);
    expect(budget.usedBytes).toBe(100);
    reserve('a', 1, 'second');
    reserve('b', 1);
    expect(order).toEqual(['a']);
    budget.release('a', 100);
    expect(order).toEqual(['a', 'second', 'b']);
  });

  it('a lane has an eighth; one that is stuck at it neither starves nor stops the others', () => {
    const budget = new Budget({ budgetBytes: 80 });
    const order: string[] = [];
    const reserve = reserving(budget, order);
    for (let n = 1; n <= 12; n++) reserve('stuck', 1, `stuck${n}`);
    expect(order).toHaveLength(10);
    expect(budget.isOpen('stuck')).toBe(false);
    for (let n = 0; n < 1000; n++) {
      reserve('b', 7);
      budget.release('b', 7);
    }
    expect(order.filter((name) => name === 'b')).toHaveLength(1000);
    budget.release('stuck', 4);
    expect(order).not.toContain('stuck11');
    budget.release('stuck', 1);
    expect(order.slice(-2)).toEqual(['stuck11', 'stuck12']);
  });

  it('serves in the order in which they came, whatever their lane', () => {
    const budget = new Budget({ budgetBytes: 4, laneBytes: 4 });
    const order: string[] = [];
    const reserve = reserving(budget, order);
    reserve('a', 4, 'full');
    reserve('b', 1, 'b1');
    reserve('a', 1, 'a1');
    reserve('c', 1, 'c1');
    budget.release('a', 4);
    expect(order).toEqual(['full', 'b1', 'a1', 'c1']);
  });

  it('whoever is served and reserves again at once stands behind those who wait', () => {
    const budget = new Budget({ budgetBytes: 8, laneBytes: 8 });
    const order: string[] = [];
    const greedy = (): void => {
      budget.reserve('greedy', 2).subscribe(() => {
        order.push('greedy');
        if (order.length < 10) greedy();
      });
    };
    budget.reserve('x', 8).subscribe();
    greedy();
    reserving(budget, order)('patient', 2);
    budget.release('x', 8);
    expect(order.slice(0, 3)).toEqual(['greedy', 'patient', 'greedy']);
  });

  it('a release inside a served reservation serves who was passed over', () => {
    const budget = new Budget({ budgetBytes: 100, laneBytes: 2 });
    const order: string[] = [];
    const reserve = reserving(budget, order);
    reserve('a', 2, 'full');
    reserve('b', 2, 'full');
    reserve('a', 1, 'a');
    budget.reserve('b', 1).subscribe(() => {
      order.push('b');
      budget.release('a', 2);
    });
    budget.release('b', 2);
    expect(order).toEqual(['full', 'full', 'b', 'a']);
  });

  it('a reservation that was given up while it waited takes nothing and stands in nobody’s way', () => {
    const budget = new Budget({ budgetBytes: 4, laneBytes: 4 });
    const order: string[] = [];
    const reserve = reserving(budget, order);
    reserve('a', 4, 'full');
    const waiting = budget.reserve('b', 4).subscribe(() => order.push('b'));
    reserve('c', 1);
    waiting.unsubscribe();
    budget.release('a', 4);
    expect(order).toEqual(['full', 'c']);
    expect(budget.usedBytes).toBe(1);
  });

  it('completes a reservation after its one emission, and unsubscribing afterwards gives nothing back', () => {
    const budget = new Budget({ budgetBytes: 4 });
    const seen: unknown[] = [];
    const reserved = budget.reserve('a', 3).subscribe({ next: () => seen.push('r'), complete: () => seen.push('|') });
    reserved.unsubscribe();
    expect(seen).toEqual(['r', '|']);
    expect(budget.usedBytes).toBe(3);
  });

  it('close gives back everything of a lane, and only of it', () => {
    const budget = new Budget({ budgetBytes: 16, laneBytes: 8 });
    const order: string[] = [];
    const reserve = reserving(budget, order);
    reserve('a', 8);
    reserve('b', 8);
    reserve('a', 1, 'again');
    budget.close('a');
    expect(order).toEqual(['a', 'b', 'again']);
    expect(budget.usedBytes).toBe(9);
    budget.close('nobody');
    budget.close('b');
    budget.close('a');
    expect(budget.usedBytes).toBe(0);
  });

  it('a true size that is larger shuts, one that is smaller opens', () => {
    const budget = new Budget({ budgetBytes: 8, laneBytes: 8 });
    const order: string[] = [];
    const reserve = reserving(budget, order);
    reserve('a', 1);
    budget.adjust('a', 7);
    reserve('b', 1);
    expect(order).toEqual(['a']);
    budget.adjust('a', -4);
    expect(order).toEqual(['a', 'b']);
    expect(budget.usedBytes).toBe(5);
  });

  it('two subscriptions of a reservation are two reservations; none is none', () => {
    const budget = new Budget({ budgetBytes: 8, laneBytes: 8 });
    const reservation = budget.reserve('a', 1);
    expect(budget.usedBytes).toBe(0);
    reservation.subscribe();
    reservation.subscribe();
    expect(budget.usedBytes).toBe(2);
  });

  it('a hundred thousand reservations, each released at once, do not deepen the stack', () => {
    const budget = new Budget({ budgetBytes: 2, laneBytes: 2 });
    let served = 0;
    range(0, 1e5)
      .pipe(concatMap(() => defer(() => budget.reserve('a', 2))))
      .subscribe(() => {
        served++;
        budget.release('a', 2);
      });
    expect(served).toBe(1e5);

    const order: string[] = [];
    const reserve = reserving(budget, order);
    reserve('a', 2, 'full');
    const queue = (left: number): void => {
      budget.reserve('a', 2).subscribe(() => {
        if (left > 0) queue(left - 1);
        budget.release('a', 2);
        if (left === 0) order.push('last');
      });
    };
    queue(1e5);
    budget.release('a', 2);
    expect(order).toEqual(['full', 'last']);
    expect(budget.usedBytes).toBe(0);
  });
});
