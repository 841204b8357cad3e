import { catchError, concatMap, defer, NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/model/errors.js';
import { Circuit } from '../../src/operators/circuit.js';
import { circuitBreaker } from '../../src/operators/circuit-breaker.js';
import { marbles } from '../marbles.js';
import { packStandingCases } from './pack-standing-cases.js';

const open = new MillraceError('MILLRACE_E_CIRCUIT_OPEN');
const config = { minCalls: 2, openMs: 5, halfOpenCalls: 1 };

describe('circuitBreaker', () => {
  packStandingCases(() => circuitBreaker(new Circuit({ minCalls: 100 })));

  it(
    'while too many calls fail, further ones are rejected without being tried; later one may try',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const circuit = new Circuit(config);
      const source = cold('  abcd----e-f|    ');
      const bad = cold('     #               ');
      const good = cold('    -r|             ');
      const expected = '     xxoo-----r-r|   ';
      const calls = source.pipe(
        concatMap((value) =>
          (value < 'e' ? bad : good).pipe(
            circuitBreaker(circuit),
            catchError((error: unknown) => of((error as MillraceError).code === open.code ? 'o' : 'x')),
          ),
        ),
      );
      expectObservable(calls).toBe(expected);
      expectSubscriptions(bad.subscriptions).toBe(['(^!)', '-(^!)']);
      expectSubscriptions(good.subscriptions).toBe(['--------^-!', '----------^-!']);
    }),
  );

  it('a rejected call has a code, may be tried later, and did not subscribe', () => {
    const circuit = new Circuit(config);
    let lives = 0;
    const ends: unknown[] = [];
    const call = defer(() => {
      lives++;
      return throwError(() => 'down');
    }).pipe(circuitBreaker(circuit));
    for (let n = 0; n < 3; n++) call.subscribe({ error: (error: unknown) => ends.push(error) });
    expect(ends).toEqual(['down', 'down', open]);
    expect(lives).toBe(2);
    expect(open.transient).toBe(true);
  });

  it('an error that is no failure counts as a success', () => {
    const circuit = new Circuit({ ...config, isFailure: (error) => error !== 'not found' });
    const fails = (error: string): void => {
      throwError(() => error)
        .pipe(circuitBreaker(circuit))
        .subscribe({ error: () => undefined });
    };
    for (const error of ['not found', 'not found', 'not found', 'down']) fails(error);
    expect(circuit.state).toBe('closed');
    fails('down');
    fails('down');
    expect(circuit.state).toBe('open');
  });

  it(
    'a call that the consumer leaves counts as neither, and gives its permission back',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const circuit = new Circuit(config);
      const fail = (): unknown =>
        throwError(() => 'down')
          .pipe(circuitBreaker(circuit))
          .subscribe({ error: () => undefined });
      fail();
      fail();
      const lasting = cold('------');
      const good = cold('   r|    ');
      const tried = cold('-----a').pipe(concatMap(() => lasting.pipe(circuitBreaker(circuit))));
      const again = cold('--------a').pipe(concatMap(() => good.pipe(circuitBreaker(circuit))));
      expectObservable(tried, '-------!').toBe('-');
      expectObservable(again, '----------!').toBe('--------r');
      expectSubscriptions(lasting.subscriptions).toBe('-----^-!');
    }),
  );

  it('what follows a failure finds the circuit as the failure left it', () => {
    const circuit = new Circuit({ ...config, minCalls: 1 });
    const source = new Subject();
    const states: string[] = [];
    source.pipe(circuitBreaker(circuit)).subscribe({ error: () => states.push(circuit.state) });
    source.error('down');
    expect(states).toEqual(['open']);
  });

  it('a throw in isFailure is an error notification, and the permission is given back', () => {
    const isFailure = (): never => {
      throw new Error('mine');
    };
    const ends: unknown[] = [];
    throwError(() => 'down')
      .pipe(circuitBreaker(new Circuit({ ...config, isFailure })))
      .subscribe({ error: (error: unknown) => ends.push(error) });
    NEVER.pipe(circuitBreaker(new Circuit(config)))
      .subscribe()
      .unsubscribe();
    expect(ends).toEqual([new Error('mine')]);
  });
});
