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
  /** The field is a number, or a text that is one, greater than this. */
  readonly gt?: number;
  /** The field is a number of at least this. */
  readonly gte?: number;
  /** The field is a number less than this. */
  readonly lt?: number;
  /** The field is a number of at most this. */
  readonly lte?: number;
  /** All of these hold. */
  readonly and?: readonly Condition[];
  /** At least one of these holds. */
  readonly or?: readonly Condition[];
  /** This does not hold, or none of these. */
  readonly not?: Condition | readonly Condition[];
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

/** The tests of a severity itself: undefined where the condition does not ask for one. */
function ownSeverityTest({ level, minLevel }: Condition): ((severity: number) => boolean) | undefined {
  const wanted = level === undefined ? undefined : listOf(level).map((name) => severityOf(name));
  const least = minLevel === undefined ? undefined : severityOf(minLevel);
  if (wanted === undefined && least === undefined) return undefined;
  return (severity) => (wanted?.includes(severity) ?? true) && severity >= (least ?? 0);
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
/** A number that is written with more characters is none. */
const MAX_NUMBER_CHARS = 64;

/** A number, or a text that is one in decimal; undefined for anything else. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value;
  if (typeof value !== 'string' || value.length > MAX_NUMBER_CHARS) return undefined;
  const text = value.trim();
  return DECIMAL.test(text) ? Number(text) : undefined;
}

/** The comparisons that the condition asks for, as one test; undefined where there is none. */
function numberTest({ gt, gte, lt, lte }: Condition): ((value: number) => boolean) | undefined {
  if (gt === undefined && gte === undefined && lt === undefined && lte === undefined) return undefined;
  return (value) =>
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte);
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
  const compares = numberTest(condition);
  if (compares !== undefined) {
    tests.push((event) => {
      const value = numberIn(event.get(field));
      return value !== undefined && compares(value);
    });
  }
  return tests;
}

/** The conditions inside, each kind as one test of what `test` makes of them. */
function joined<A>(
  { and, or, not }: Condition,
  test: (inner: Condition) => (asked: A) => boolean,
): ((asked: A) => boolean)[] {
  const tests = and?.map(test) ?? [];
  const some = or?.map(test);
  const none = not === undefined ? undefined : listOf(not).map(test);
  if (some !== undefined) tests.push((asked) => some.some((each) => each(asked)));
  if (none !== undefined) tests.push((asked) => !none.some((each) => each(asked)));
  return tests;
}

function allOf<A>(tests: readonly ((asked: A) => boolean)[]): (asked: A) => boolean {
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : (asked) => tests.every((test) => test(asked));
}

/** The condition as a function. An event without a known level has none of the levels asked for. */
export function testOf(condition: Condition): Test {
  const { field } = condition;
  const tests = field === undefined ? [] : fieldTests(field, condition);
  const admits = ownSeverityTest(condition);
  if (admits !== undefined) {
    tests.unshift((event) => {
      const severity = severityOfEvent(event);
      return severity !== undefined && admits(severity);
    });
  }
  return allOf([...tests, ...joined(condition, testOf)]);
}

function asksOnlyForSeverity({ field, and = [], or = [], not = [] }: Condition): boolean {
  return field === undefined && [...and, ...or, ...listOf(not)].every(asksOnlyForSeverity);
}

function severityTest(condition: Condition): (severity: number) => boolean {
  const own = ownSeverityTest(condition);
  return allOf([...(own === undefined ? [] : [own]), ...joined(condition, severityTest)]);
}

/** The condition as a test of a known severity, if it asks for nothing else. */
export function severityOnly(condition: Condition): ((severity: number) => boolean) | undefined {
  return asksOnlyForSeverity(condition) ? severityTest(condition) : undefined;
}
