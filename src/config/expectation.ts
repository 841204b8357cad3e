import { z } from 'zod';
import type { Path } from './fault.js';

/** What the schema says about a value, in the words of a fault. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** What the value, or the key, may have been meant to be. */
  readonly nearestOf?: readonly string[];
  /** It is about the key, not about its value. */
  readonly isUnknownKey?: boolean;
  /** Something is missing in this mapping. */
  readonly isMissing?: boolean;
  /** The value is not even of the right kind. */
  readonly isMismatch?: boolean;
}

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function kindOf(expected: string): string {
  return KINDS[expected] ?? expected;
}

/** True if none of a union's branches takes a value of this kind. */
function isMismatch(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  return (
    issue.code === 'invalid_union' && issue.errors.length > 0 && issue.errors.every((each) => each.some(isMismatch))
  );
}

function kindsOf(issues: readonly Issue[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'invalid_type') return [kindOf(issue.expected)];
    return issue.code === 'invalid_union' ? issue.errors.flatMap(kindsOf) : [];
  });
}

function orList(words: readonly string[]): string {
  const unique = [...new Set(words)];
  return unique.length < 2 ? unique.join('') : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1) ?? ''}`;
}

function limit(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const isMin = issue.code === 'too_small';
  const bound = Number(isMin ? issue.minimum : issue.maximum);
  if (issue.origin === 'string') return isMin ? 'a string that is not empty' : `at most ${bound} characters`;
  if (issue.origin === 'array')
    return `a list with at ${isMin ? 'least' : 'most'} ${bound} item${bound === 1 ? '' : 's'}`;
  if (issue.inclusive === false) return `a number ${isMin ? 'greater' : 'less'} than ${bound}`;
  return `a number of at ${isMin ? 'least' : 'most'} ${bound}`;
}

function ofCustom({ path, message, params = {} }: z.core.$ZodIssueCustom): Finding {
  const { nearestOf, atKey, missing } = params as {
    readonly nearestOf?: readonly string[];
    readonly atKey?: boolean;
    readonly missing?: boolean;
  };
  return {
    path,
    message,
    ...(nearestOf !== undefined && { nearestOf }),
    ...(atKey === true && { isUnknownKey: true }),
    ...(missing === true && { isMissing: true }),
  };
}

/** The faults of the branch that was evidently meant: of the right kind, with the fewest faults. */
function ofUnion(issue: z.core.$ZodIssueInvalidUnion, keys: ValidKeys): Finding[] {
  const { path } = issue;
  if (issue.discriminator !== undefined && 'options' in issue) {
    const nearestOf = (issue.options ?? []).map(String);
    return [{ path, message: `expected one of ${nearestOf.join(', ')}`, nearestOf }];
  }
  const [meant] = issue.errors
    .filter((errors) => !errors.some(isMismatch))
    .map((errors) => errors.flatMap((each) => findingsOf(each, keys)))
    .sort((a, b) => a.length - b.length);
  if (meant !== undefined) return meant.map((finding) => ({ ...finding, path: [...path, ...finding.path] }));
  return [{ path, message: `expected ${orList(issue.errors.flatMap(kindsOf))}`, isMismatch: true }];
}

/** The valid keys of a place, by the message that lists them. */
type ValidKeys = ReadonlyMap<string, readonly string[]>;

function findingsOf(issue: Issue, keys: ValidKeys): Finding[] {
  const { path, message } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return [{ path, message, isMismatch: true }];
    case 'too_small':
    case 'too_big':
      return [{ path, message: `expected ${limit(issue)}` }];
    case 'invalid_value': {
      const nearestOf = issue.values.map(String);
      return [{ path, message: `expected ${nearestOf.length > 1 ? 'one of ' : ''}${nearestOf.join(', ')}`, nearestOf }];
    }
    case 'unrecognized_keys': {
      const nearestOf = keys.get(message) ?? [];
      return issue.keys.map((key) => ({ path: [...path, key], message, nearestOf, isUnknownKey: true }));
    }
    case 'invalid_union':
      return ofUnion(issue, keys);
    case 'custom':
      return [ofCustom(issue)];
    default:
      return [{ path, message }];
  }
}

/** Validates: either the value with its defaults, or everything that is wrong with it. */
export function validate<T>(schema: z.ZodType<T>, value: unknown): { readonly data: T } | readonly Finding[] {
  const keys = new Map<string, readonly string[]>();
  // What needs the declaration of the place is said here, where it is at hand.
  const error: z.core.$ZodErrorMap = (issue) => {
    if (issue.code === 'invalid_type') {
      // The declaration of a whole number expects a number first.
      return `expected ${kindOf(issue.inst instanceof z.ZodNumberFormat ? 'int' : issue.expected)}`;
    }
    if (issue.code !== 'unrecognized_keys' || !(issue.inst instanceof z.ZodObject)) return undefined;
    const valid = Object.keys(issue.inst.shape);
    const message = `unknown key, expected ${valid.length > 1 ? 'one of ' : ''}${valid.join(', ')}`;
    keys.set(message, valid);
    return message;
  };
  const result = schema.safeParse(value, { error });
  return result.success ? { data: result.data } : result.error.issues.flatMap((issue) => findingsOf(issue, keys));
}
