import { BehaviorSubject, concat, NEVER, of, range, Subject, throwError } from 'rxjs';
import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { onBackpressureBuffer } from '../../src/operators/on-backpressure-buffer.js';
import { onBackpressureDrop } from '../../src/operators/on-backpressure-drop.js';
import { onBackpressureLatest } from '../../src/operators/on-backpressure-latest.js';
import { withDemand } from '../../src/operators/with-demand.js';
import { marbles } from '../marbles.js';
import { packStandingCases } from './pack-standing-cases.js';

const unlimited = concat(of(Infinity), NEVER);
const digits = { 1: 1, 2: 2, 3: 3, 9: 9 };

type Form = <T>(demand: Observable<number>) => MonoTypeOperatorFunction<T>;
const forms: readonly (readonly [string, Form])[] = [
  ['withDemand', (demand) => withDemand(demand)],
  ['onBackpressureBuffer', (demand) => onBackpressureBuffer(demand, { max: 10 })],
  ['onBackpressureDrop', (demand) => onBackpressureDrop(demand)],
  ['onBackpressureLatest', (demand) => onBackpressureLatest(demand)],
];

// What the four have in common; what each does with values that nobody asked for is in its own file.
describe.each(forms)('%s: credit', (_, form) => {
  packStandingCases(<T>() => form<T>(unlimited));

  it(
    'adds up, and is used by values that come later',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const demand = cold('  12-----9---', digits);
      const source = cold('  --a-b-c-d-|');
      const expected = '     --a-b-c-d-|';
      const subs = '         ^---------!';
      expectObservable(source.pipe(form(demand))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
      expectSubscriptions(demand.subscriptions).toBe(subs);
    }),
  );

  it.each([0, -1, 1.5, Number.NaN])('of %d is an error', (count) => {
    const ends: unknown[] = [];
    const source = new Subject();
    source.pipe(form(of(count))).subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual([new MillraceError('MILLRACE_E_OPERATOR_DEMAND', String(count))]);
    expect(source.observed).toBe(false);
  });

  it(
    'an error of the demand is passed on; when it has completed and is used up, so is the result',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-');
      const failing = cold(' 1-#    ', digits);
      const ending = cold('  (2|)   ', digits);
      const early = cold('   1--|   ', digits);
      expectObservable(source.pipe(form(failing))).toBe('-a#');
      expectObservable(source.pipe(form(ending))).toBe(' -a-(b|)');
      expectObservable(source.pipe(form(early))).toBe('  -a-|');
      expectSubscriptions(source.subscriptions).toBe(['^-!', '^--!', '^--!']);
    }),
  );

  it('may be given while a value is handed over, a million times without a deeper stack', () => {
    const credit = new BehaviorSubject(1);
    let count = 0;
    let error: unknown;
    range(0, 1e6)
      .pipe(form(credit))
      .subscribe({
        next: () => {
          count++;
          credit.next(1);
        },
        error: (each: unknown) => (error = each),
      });
    expect(error).toBeUndefined();
    expect(count).toBe(1e6);
  });

  it(
    'unsubscribing ends source and demand',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-');
      const demand = cold('  9------', digits);
      const unsub = '        --!    ';
      expectObservable(source.pipe(form(demand)), unsub).toBe('-a');
      expectSubscriptions(source.subscriptions).toBe('^-!');
      expectSubscriptions(demand.subscriptions).toBe('^-!');
    }),
  );
});

describe('withDemand', () => {
  it(
    'a value that nobody asked for is the end',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-c-');
      const demand = cold('  2------', digits);
      const expected = '     -a-b-# ';
      const overflow = new MillraceError('MILLRACE_E_OPERATOR_OVERFLOW', '0 are waiting');
      expectObservable(source.pipe(withDemand(demand))).toBe(expected, undefined, overflow);
      expectSubscriptions(source.subscriptions).toBe('^----!');
    }),
  );

  it('an error needs no credit', () => {
    const ends: unknown[] = [];
    throwError(() => 'boom')
      .pipe(withDemand(NEVER))
      .subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual(['boom']);
  });
});
