import { from, map, NEVER, Observable, of, range, Subject, take } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import { expect, it } from 'vitest';
import type { LogEvent } from '../../src/model/event.js';
import { placeOf } from '../../src/testing/place-of.js';
import { marbles } from '../marbles.js';

/** What every stage does. `passing`: the text of an event, or its fields, that comes through. */
export function standingCases(
  stage: () => OperatorFunction<LogEvent, LogEvent>,
  passing: string | Readonly<Record<string, unknown>>,
): void {
  const pass = (): LogEvent => (typeof passing === 'string' ? placeOf().raw(passing) : placeOf().event(passing));
  const letter = map(() => 'e');

  it(
    'basic, empty, never, error',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -e-e-|  ');
      const subs = '         ^----!  ';
      const expected = '     -e-e-|  ';
      expectObservable(source.pipe(map(pass), stage(), letter)).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
      expectObservable(cold('|').pipe(map(pass), stage())).toBe('|');
      expectObservable(NEVER.pipe(map(pass), stage())).toBe('-');
      expectObservable(cold('-e-#').pipe(map(pass), stage(), letter)).toBe('-e-#');
    }),
  );

  it(
    'early unsubscribe',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -e-e-e-|');
      const unsub = '        ----!   ';
      const subs = '         ^---!   ';
      const expected = '     -e-e-   ';
      expectObservable(source.pipe(map(pass), stage(), letter), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it('a synchronous source stops when take(1) has its event', () => {
    let produced = 0;
    const source = new Observable<LogEvent>((subscriber) => {
      while (!subscriber.closed && produced < 10) {
        produced++;
        subscriber.next(pass());
      }
    });
    source.pipe(stage(), take(1)).subscribe();
    expect(produced).toBe(1);
  });

  it('a throw inside it is an error notification', () => {
    const broken = new Proxy(pass(), {
      get: () => {
        throw new Error('mine');
      },
    });
    const caught: unknown[] = [];
    from([broken])
      .pipe(stage())
      .subscribe({ error: (error: unknown) => caught.push(error) });
    expect(caught).toEqual([new Error('mine')]);
  });

  it('two subscriptions share nothing that shows, and an event pushed inside `next` comes after', () => {
    const source = new Subject<LogEvent>();
    const operator = stage();
    const [first, second] = [pass(), pass()];
    const got: unknown[] = [];
    source.pipe(operator).subscribe((event) => {
      got.push(['one', event.record]);
      if (event.record === first.record) source.next(second);
    });
    source.next(first);
    expect(got).toEqual([
      ['one', first.record],
      ['one', second.record],
    ]);
    of(first)
      .pipe(operator)
      .subscribe((event) => got.push(['two', event.record]));
    expect(got).toHaveLength(3);
  });

  it('takes a million synchronous events', { timeout: 60_000 }, () => {
    const event = pass();
    let count = 0;
    range(0, 1e6)
      .pipe(
        map(() => event),
        stage(),
      )
      .subscribe(() => count++);
    expect(count).toBe(1e6);
  });
}
