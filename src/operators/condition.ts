import type { LogEvent } from '../model/event.js';
import { severityOf } from '../model/severity.js';

type Scalar = string | number | boolean | null;

/** What an event is asked. All that is given must hold. */
export interface Condition {
  /** One of these levels, compared as severities: WARN is also `warning`. */
  readonly level?: string | readonly string[];
  /** This level or a more severe one. */
  readonly minLevel?: string;
  /** The field that the following tests look at. */
  readonly field?: string;
  /** The field has this value, or one of these. */
  readonly equals?: Scalar | readonly Scalar[];
  /** The field is a text that this regular expression finds something in. */
  readonly matches?: string;
  /** The field is a text that contains this text. */
  readonly contains?: string;
  /** The field is there, or is not. */
  readonly exists?: boolean;
  /** `matches` sees no more of a text than this. Default 32 768. */
  readonly maxInputChars?: number;
}

type Test = (event: LogEvent) => boolean;

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** The severity that normalize found, or what the raw level's name says. */
function severityOfEvent(event: LogEvent): number | undefined {
  const severity = event.get('event.severity');
  if (typeof severity === 'number') return severity;
  const level = event.get('log.level') ?? event.get('level');
  return typeof level === 'string' ? severityOf(level) : undefined;
}

/** The tests of a severity: undefined where the condition does not ask for one. */
function severityTest({ level, minLevel }: Condition): ((severity: number) => boolean) | undefined {
  const wanted = level === undefined ? undefined : listOf(level).map((name) => severityOf(name));
  const least = minLevel === undefined ? undefined : severityOf(minLevel);
  if (wanted === undefined && least === undefined) return undefined;
  return (severity) => (wanted?.includes(severity) ?? true) && severity >= (least ?? 0);
}

function fieldTests(field: string, condition: Condition): Test[] {
  const { equals, matches, contains, exists, maxInputChars = 32_768 } = condition;
  const tests: Test[] = [];
  const textTest = (test: (text: string) => boolean): Test => {
    return (event) => {
      const value = event.get(field);
      return typeof value === 'string' && test(value);
    };
  };
  if (exists !== undefined) tests.push((event) => (event.get(field) !== undefined) === exists);
  if (equals !== undefined) {
    const wanted: readonly unknown[] = listOf(equals);
    tests.push((event) => wanted.includes(event.get(field)));
  }
  if (contains !== undefined) tests.push(textTest((text) => text.includes(contains)));
  if (matches !== undefined) {
    const expression = new RegExp(matches, 'u');
    tests.push(textTest((text) => expression.test(text.length > maxInputChars ? text.slice(0, maxInputChars) : text)));
  }
  return tests;
}

/** The condition as a function. An event without a known level has none of the levels asked for. */
export function testOf(condition: Condition): Test {
  const { field } = condition;
  const tests = field === undefined ? [] : fieldTests(field, condition);
  const admits = severityTest(condition);
  if (admits !== undefined) {
    tests.unshift((event) => {
      const severity = severityOfEvent(event);
      return severity !== undefined && admits(severity);
    });
  }
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : (event) => tests.every((test) => test(event));
}

/** The condition as a test of the severity, if it asks for nothing else. */
export function severityOnly(condition: Condition): ((severity: number) => boolean) | undefined {
  return condition.field === undefined ? severityTest(condition) : undefined;
}
