import { of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deadLetter } from '../../src/operators/dead-letter.js';
import type { Undeliverable } from '../../src/operators/dead-letter.js';
import { marbles } from '../marbles.js';
import { packStandingCases, throwIsAnErrorNotification } from './pack-standing-cases.js';

const nowhere = { next: () => undefined };

describe('deadLetter', () => {
  packStandingCases(<T>() => deadLetter((value: T) => of(value), nowhere));
  throwIsAnErrorNotification({
    'the side': (next) => deadLetter(() => throwError(() => 'boom'), { next }),
  });

  it(
    'a value whose call fails goes to the side with its error, and the stream goes on',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  ab-----c--|   ');
      const good = cold('    --r|          ');
      const bad = cold('        -s#        ');
      const side = new Subject<Undeliverable<string>>();
      const aside = '        -----x        ';
      const expected = '     --r-s----r|   ';
      expectObservable(side).toBe(aside, { x: { value: 'b', error: 'error' } });
      expectObservable(source.pipe(deadLetter((value) => (value === 'b' ? bad : good), side))).toBe(expected);
      // One after the other, so the order is kept.
      expectSubscriptions(bad.subscriptions).toBe('---^-!');
    }),
  );

  it('a throw in project is a dead letter, too', () => {
    const letters: unknown[] = [];
    const got: number[] = [];
    const project = (text: string) => {
      const value: unknown = JSON.parse(text);
      return of(value as number);
    };
    of('1', '{', '3')
      .pipe(deadLetter(project, { next: ({ value, error }) => letters.push([value, error instanceof SyntaxError]) }))
      .subscribe((value) => got.push(value));
    expect(got).toEqual([1, 3]);
    expect(letters).toEqual([['{', true]]);
  });

  it(
    'an error of the source is no dead letter, nor is a call that is cancelled',
    marbles(({ cold, expectObservable }) => {
      const side = new Subject<Undeliverable<string>>();
      expectObservable(side).toBe('-');
      expectObservable(cold('a-#').pipe(deadLetter(() => cold('---#'), side))).toBe('--#');
      expectObservable(cold('a-').pipe(deadLetter(() => cold('---#'), side)), '--!').toBe('-');
    }),
  );

  it(
    'side by side when asked for',
    marbles(({ cold, expectObservable }) => {
      const calls = { a: cold('---r|'), b: cold('-s|') };
      const project = (value: string) => (value === 'a' ? calls.a : calls.b);
      expectObservable(cold('ab--|').pipe(deadLetter(project, nowhere, { concurrency: 2 }))).toBe('--sr|');
    }),
  );
});
