import { runInThisContext } from 'node:vm';
import * as rxjs from 'rxjs';
import type { Observable, OperatorFunction, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { RunHelpers } from 'rxjs/testing';
import { expect } from 'vitest';
import { LogEvent } from '../src/model/event.js';
import { MillraceError } from '../src/model/errors.js';
import { placeOf } from '../src/testing/place-of.js';
import { pack } from './pack.js';

// A picture is a block of a doc comment that can be run. It reads from top to bottom like a marble diagram:
//
//   ```marbles
//   source  -a-b-c-----d---|
//   > batch({ maxWaitMs: 4, maxCount: 2 })
//   output  ---x------y----(z|)
//   where   x: ['a', 'b'], y: ['c'], z: ['d']
//   ```
//
// Above `>` are the inputs, one a line: a name and its marbles (those of TestScheduler.run: a character is a
// millisecond). `source` is what is piped; the others can be named in the call. An input with `^` is hot, the others cold.
//
// `>` is what is tested: one or more operators, separated by commas (they go into one `pipe`), or an Observable; it may
// go on in further lines that begin with `>`. It can use everything `rxjs`, `millrace` and `millrace/stages` export, the inputs,
// `time('--|')`, `event({ level: 'WARN' })` and `line('…')` for log events.
//
// Below `>` is what must come out:
//   output        the values of the result; needed.
//   subs          when the source is subscribed and unsubscribed, `^--!`; one line for each subscription, in order.
//   NAME.subs     the same of another input.
//   unsub         when the consumer leaves, `---!`.
//   NAME          any other name is a Subject that the call may be given (a side output), and what it must emit.
//   where         what the letters stand for, above and below: the inside of an object literal; may come several times.
//
// A letter without a `where` stands for itself and a digit for its number. `'#'` in `where` is the error of the
// outputs, `'source#'` that of an input; both are 'error' if not given. Log events are compared by their fields, a
// MillraceError by its code.

/** A picture taken apart. */
export interface Picture {
  readonly inputs: readonly (readonly [name: string, marbles: string])[];
  readonly call: string;
  readonly outputs: readonly (readonly [name: string, marbles: string])[];
  readonly where: string;
}

const LINE = /^([\w$]+(?:\.subs)?)\s+(\S.*?)\s*$/;

/** Takes a picture apart; throws when it is not one. */
export function readPicture(lines: readonly string[]): Picture {
  const inputs: [string, string][] = [];
  const outputs: [string, string][] = [];
  const call: string[] = [];
  const where: string[] = [];
  for (const line of lines.filter((each) => each.trim() !== '')) {
    const [, name = '', rest = ''] = LINE.exec(line) ?? [];
    if (line.startsWith('>')) call.push(line.slice(1).trim());
    else if (name === '') throw new Error(`not a line of a picture: ${line}`);
    else if (name === 'where') where.push(rest.replace(/,$/, ''));
    else (call.length === 0 ? inputs : outputs).push([name, rest]);
  }
  if (call.length === 0) throw new Error('a picture has a line that begins with >');
  if (!outputs.some(([name]) => name === 'output')) throw new Error('a picture has an output');
  return { inputs, call: call.join('\n'), outputs, where: where.join(',\n') };
}

type Values = Readonly<Record<string, unknown>>;

/** What letters stand for that no `where` explains. */
const unexplained: Values = Object.fromEntries([
  ...Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).map((letter) => [letter, letter]),
  ...Array.from('0123456789', (digit) => [digit, Number(digit)]),
]);

/** What a picture compares: the fields of an event, the code of an error. */
function plain(value: unknown): unknown {
  if (value instanceof LogEvent) return value.fields;
  if (value instanceof MillraceError) return value.code;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** Evaluates an expression with some names in scope. */
function evaluate(expression: string, scope: Values): unknown {
  const names = Object.keys(scope);
  const compiled = runInThisContext(`((${names.join(', ')}) => (${expression}\n))`) as (
    ...values: unknown[]
  ) => unknown;
  return compiled(...Object.values(scope));
}

function isObservable(value: unknown): value is Observable<unknown> {
  return rxjs.isObservable(value);
}

/** Runs a picture in virtual time; throws where it and the behaviour differ. */
export function runPicture(picture: Picture): void {
  const { inputs, call, outputs } = picture;
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run((helpers) => {
    const { expectObservable, expectSubscriptions, time } = helpers;
    const place = placeOf();
    const scope: Values = { ...rxjs, ...pack, time, event: place.event.bind(place), line: place.raw.bind(place) };
    const where = { ...unexplained, '#': 'error', ...(evaluate(`{ ${picture.where} }`, scope) as Values) };
    const streams = inputsOf(inputs, where, helpers);
    const sides = Object.fromEntries(
      outputs.filter(([name]) => isSide(name)).map(([name]) => [name, new rxjs.Subject<unknown>()]),
    );
    const given = evaluate(`[${call}\n]`, { ...scope, ...streams, ...sides }) as readonly unknown[];
    const result = isObservable(given[0]) ? given[0] : through(streams['source'], given);

    const drawn = (name: string): string[] => outputs.filter(([each]) => each === name).map(([, marbles]) => marbles);
    const shown = Object.fromEntries(Object.entries(where).map(([key, value]) => [key, plain(value)]));
    const compare = (name: string, actual: Observable<unknown>, unsub?: string): void =>
      expectObservable(inPlain(actual), unsub).toBe(drawn(name)[0] ?? '', shown, shown['#']);
    // Before the result: a side output may emit while the result is subscribed.
    for (const [name, side] of Object.entries(sides)) compare(name, side);
    compare('output', result, drawn('unsub')[0]);
    for (const [name, stream] of Object.entries(streams)) {
      const subs = drawn(name === 'source' ? 'subs' : `${name}.subs`);
      if (subs.length > 0) expectSubscriptions(stream.subscriptions).toBe(subs);
    }
  });
}

type Stream = ReturnType<RunHelpers['cold']> | ReturnType<RunHelpers['hot']>;

function inputsOf(inputs: Picture['inputs'], where: Values, { cold, hot }: RunHelpers): Record<string, Stream> {
  return Object.fromEntries(
    inputs.map(([name, marbles]) => {
      const make = marbles.includes('^') ? hot : cold;
      const key = `${name}#`;
      return [name, make(marbles, where, key in where ? where[key] : 'error')];
    }),
  );
}

function isSide(name: string): boolean {
  return name !== 'output' && name !== 'unsub' && !name.endsWith('subs');
}

function through(source: Observable<unknown> | undefined, operators: readonly unknown[]): Observable<unknown> {
  if (source === undefined) throw new Error('operators need a source');
  return (operators as readonly OperatorFunction<unknown, unknown>[]).reduce((all, each) => each(all), source);
}

function inPlain(result: Observable<unknown> | Subject<unknown>): Observable<unknown> {
  return result.pipe(
    rxjs.map(plain),
    rxjs.catchError((error: unknown) => rxjs.throwError(() => plain(error))),
  );
}
