import { NEVER, map, mergeMap, of, repeat, take, tap, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../../src/model/dead-letter.js';
import { MillraceError } from '../../../src/model/errors.js';
import { LogEvent } from '../../../src/model/event.js';
import type { Notice } from '../../../src/model/notice.js';
import type { Receipt, Sink, SinkResource } from '../../../src/model/sink.js';
import { consoleDeadLetterSink, consoleSink } from '../../../src/sinks/console/console-sink.js';
import type { WriteText } from '../../../src/sinks/console/write-to.js';

const outcome = { filtered: () => {}, rejected: () => {}, expanded: () => {} };
const origin = { incarnation: 'i1', fields: {}, outcome };
const events = ['one', 'two\u009b'].map((text, index) => LogEvent.of(origin, { offset: index, text }));

/** Opens the sink and delivers once. */
function deliver<T>(
  resource: SinkResource<T>,
  items: readonly T[],
  report: (notice: Notice) => void = () => {},
): Observable<Receipt<T>> {
  const delivery = { lane: 'l', position: 2, items };
  return resource.open({ pipeline: 'p', leg: 'out', saved: undefined, save: NEVER, report }).pipe(
    take(1),
    mergeMap((sink: Sink<T>) => sink.deliver(delivery)),
  );
}

function keeping(written: string[]): WriteText {
  return (text) => of(undefined).pipe(tap(() => written.push(text)));
}

const receipt = { delivered: 2, duplicates: 0, refused: [] };

describe('consoleSink', () => {
  it('stays open, and has delivered when the output has taken it all', () => {
    const scheduler = new TestScheduler((actual, expected) => {
      expect(actual).toEqual(expected);
    });
    scheduler.run(({ cold, expectObservable }) => {
      const write: WriteText = () => cold('---(w|)', { w: undefined });
      const sink = consoleSink({ format: 'pretty' }, write, false);
      expectObservable(
        sink.open({ pipeline: 'p', leg: 'out', saved: undefined, save: NEVER, report: () => {} }).pipe(map(() => 's')),
      ).toBe('s');
      expectObservable(deliver(sink, events)).toBe('  ---(r|)', { r: receipt });
    });
  });

  it('writes a delivery at once, pretty or as JSON, nothing for none', () => {
    const written: string[] = [];
    for (const format of ['pretty', 'json'] as const) {
      deliver(consoleSink({ format }, keeping(written), false), events).subscribe();
      deliver(consoleSink({ format }, keeping(written), false), []).subscribe();
    }
    expect(written).toEqual([
      'one\ntwo\\x9b\n',
      '{"message":"one","event.id":"i1:0"}\n{"message":"two\\u009b","event.id":"i1:1"}\n',
    ]);
  });

  it('reports a closed output once and goes on', () => {
    const notices: Notice[] = [];
    const receipts: unknown[] = [];
    let writes = 0;
    const write: WriteText = () => {
      writes++;
      return throwError(() => Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
    };
    const context = {
      pipeline: 'p',
      leg: 'out',
      saved: undefined,
      save: NEVER,
      report: (notice: Notice) => notices.push(notice),
    };
    consoleSink({ format: 'pretty' }, write, false)
      .open(context)
      .pipe(mergeMap((sink) => sink.deliver({ lane: 'l', position: 2, items: events }).pipe(repeat(3))))
      .subscribe((each) => receipts.push(each));
    expect(receipts).toEqual([receipt, receipt, receipt]);
    expect(notices).toEqual([expect.objectContaining({ level: 'warn' })]);
    expect(writes).toBe(1);
  });

  it('passes every other fault on as a transient error', () => {
    const write: WriteText = () => throwError(() => new Error('disk on fire'));
    let fault: unknown;
    deliver(consoleSink({ format: 'pretty' }, write, false), events).subscribe({
      error: (error: unknown) => (fault = error),
    });
    expect(fault).toBeInstanceOf(MillraceError);
    expect(fault).toMatchObject({ code: 'MILLRACE_E_FILE_IO', transient: true });
  });
});

describe('consoleDeadLetterSink', () => {
  it('writes one line a dead letter', () => {
    const written: string[] = [];
    const letter: DeadLetter = {
      origin,
      record: { offset: 9, text: '{' },
      index: 0,
      reason: new MillraceError('MILLRACE_E_PARSE_JSON'),
    };
    deliver(consoleDeadLetterSink(keeping(written), false), [letter]).subscribe();
    deliver(consoleDeadLetterSink(keeping(written), false, 'json'), [letter]).subscribe();
    expect(written[0]).toBe('MILLRACE_E_PARSE_JSON the line is not a JSON object i1:9 {\n');
    expect(JSON.parse(written[1]!)).toMatchObject({ 'error.code': 'MILLRACE_E_PARSE_JSON', 'event.original': '{' });
  });
});
