import { describe, expect, it } from 'vitest';
import { conditionOptions } from '../../src/operators/options/condition.js';
import { fieldsOptions } from '../../src/operators/options/fields.js';
import { normalizeOptions } from '../../src/operators/options/normalize.js';
import { parseOptions } from '../../src/operators/options/parse.js';

describe('declared options', () => {
  it('are usable without a configuration file', () => {
    expect(parseOptions.parse({ format: 'regex', pattern: '(?<a>.)' })).toEqual({
      format: 'regex',
      pattern: '(?<a>.)',
      maxInputChars: 32_768,
    });
    expect(normalizeOptions.parse({})).toEqual({ timeZone: 'UTC' });
    expect(conditionOptions.parse({ field: 'a', equals: ['x', 1, true] })).toEqual({
      field: 'a',
      equals: ['x', 1, true],
    });
    expect(fieldsOptions.parse({ remove: ['a'] })).toEqual({ remove: ['a'] });
  });

  it('take what the operators take: regular expressions with flag u', () => {
    expect(conditionOptions.safeParse({ field: 'a', matches: '\\p{Lu}' }).success).toBe(true);
    expect(conditionOptions.safeParse({ field: 'a', matches: '\\_' }).success).toBe(false);
  });
});
