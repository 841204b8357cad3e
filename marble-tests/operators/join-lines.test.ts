import { Observable, range, map, Subject, take, VirtualTimeScheduler, NEVER, EMPTY } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { joinLines } from '../../src/operators/join-lines.js';
import { marbles } from '../marbles.js';

/** `.` belongs to the lines before it. */
const dots = { continuation: /^\./, separator: '' };

describe('joinLines', () => {
  it(
    'continuations follow the line they belong to; the next start puts them out',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-.-.-b-c-.|   ');
      const subs = '         ^----------!   ';
      const expected = '     ------x-y--(z|)';
      expectObservable(source.pipe(joinLines(dots))).toBe(expected, { x: 'a..', y: 'b', z: 'c.' });
      expectSubscriptions(source.subscriptions).toBe(subs);
    }),
  );

  it(
    'with a start pattern everything else is a continuation, also before the first start',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  xa-b-a-|   ');
      const expected = '     -u---v-(w|)';
      const result = source.pipe(joinLines({ start: /^a/, separator: '+' }));
      expectObservable(result).toBe(expected, { u: 'x', v: 'a+b', w: 'a' });
    }),
  );

  it(
    'a silence puts out what was collected: it counts from the last line, not the first',
    marbles(({ cold, time, expectObservable }) => {
      const source = cold('  a--.--.----.-------');
      const idleMs = time('  ----|              ');
      const expected = '     ----------x----y---';
      expectObservable(source.pipe(joinLines({ ...dots, idleMs }))).toBe(expected, { x: 'a..', y: '.' });
    }),
  );

  it(
    'bounded: by lines and by characters; no line is lost',
    marbles(({ cold, expectObservable }) => {
      const source = cold('  a....|   ');
      const byLines = '      ---x-(y|)';
      expectObservable(source.pipe(joinLines({ ...dots, maxLines: 3 }))).toBe(byLines, { x: 'a..', y: '..' });
      expectObservable(cold('a.b..|').pipe(joinLines({ continuation: /./, separator: '', maxChars: 2 }))).toBe(
        '--x-y(z|)',
        { x: 'a.', y: 'b.', z: '.' },
      );
    }),
  );

  it('a single line that is too long goes out whole', () => {
    const got: string[] = [];
    const source = new Subject<string>();
    source.pipe(joinLines({ ...dots, maxChars: 3 })).subscribe((text) => got.push(text));
    for (const line of ['abcdef', '.', 'g']) source.next(line);
    source.complete();
    expect(got).toEqual(['abcdef', '.', 'g']);
  });

  it(
    'on error what was collected comes out first; empty and never stay so',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('a-.#').pipe(joinLines(dots))).toBe('---(x#)', { x: 'a.' });
      expectObservable(EMPTY.pipe(joinLines(dots))).toBe('|');
      expectObservable(NEVER.pipe(joinLines(dots)), '----!').toBe('-');
    }),
  );

  it(
    'unsubscribing cancels the timer; two subscriptions share nothing',
    marbles(({ cold, time, expectObservable, expectSubscriptions }) => {
      const source = cold('  a-.-b--------');
      const idleMs = time('  ---|         ');
      const unsub = '        -----!       ';
      const result = source.pipe(joinLines({ ...dots, idleMs }));
      expectObservable(result, unsub).toBe('----x', { x: 'a.' });
      expectObservable(result, '--^------!').toBe('------x--', { x: 'a.' });
      expectSubscriptions(source.subscriptions).toBe(['^----!', '--^------!']);
    }),
  );

  it('a pattern with the flag g is asked anew for each line, and sees a bounded part of it', () => {
    const got: string[] = [];
    const source = new Subject<string>();
    source.pipe(joinLines({ start: /s/g, maxInputChars: 2 })).subscribe((text) => got.push(text));
    for (const line of ['s1', 's2', 's3', 'xxs']) source.next(line);
    source.complete();
    expect(got).toEqual(['s1', 's2', 's3\nxxs']);
  });

  it('a line that is pushed while one comes out follows it', () => {
    const got: string[] = [];
    const source = new Subject<string>();
    source.pipe(joinLines(dots)).subscribe((text) => {
      got.push(text);
      if (text === 'a') source.next('.');
    });
    for (const line of ['a', 'b', 'c']) source.next(line);
    source.complete();
    expect(got).toEqual(['a', 'b.', 'c']);
  });

  it('synchronous sources: a million lines, and one that stops when take(1) has its text', { timeout: 60_000 }, () => {
    const got: string[] = [];
    range(0, 1e6)
      .pipe(
        map((n) => (n % 1000 === 0 ? 'a' : '.')),
        joinLines({ ...dots, maxLines: 1000 }),
      )
      .subscribe((text) => got.push(text));
    expect(got).toHaveLength(1000);
    expect(new Set(got)).toEqual(new Set(['a' + '.'.repeat(999)]));
    let produced = 0;
    const source = new Observable<string>((subscriber) => {
      while (!subscriber.closed && produced < 100) subscriber.next(`line ${produced++}`);
    });
    source.pipe(joinLines(dots), take(1)).subscribe();
    expect(produced).toBe(2);
  });

  it('has no timer but its scheduler, and only one', () => {
    const scheduler = new VirtualTimeScheduler();
    const source = new Subject<string>();
    const got: string[] = [];
    source.pipe(joinLines({ ...dots, idleMs: 5 }, scheduler)).subscribe((text) => got.push(text));
    for (const line of ['a', '.', '.']) source.next(line);
    expect(scheduler.actions).toHaveLength(1);
    scheduler.flush();
    expect(got).toEqual(['a..']);
    expect(scheduler.frame).toBe(5);
  });

  it('needs a pattern', () => {
    expect(() => joinLines({})).toThrow('start or continuation is needed');
  });
});
