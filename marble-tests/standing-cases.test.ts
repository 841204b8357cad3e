import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pack } from './pack.js';

const folder = fileURLToPath(new URL('operators/', import.meta.url));

/** What is no operator and is tested as what it is: reducers with the windows, arithmetic in test/unit. */
const NO_OPERATORS = new Set([
  ...['LogEvent', 'MillraceError', 'backoffMs', 'aimdLimit', 'gradientLimit', 'Circuit', 'KeptState'],
  ...['countOf', 'sumOf', 'minOf', 'maxOf', 'meanOf', 'statsOf'],
]);

/** Those for which no list of cases fits, because they change what comes, or when: their own tests have each case. */
const WITH_OWN_CASES: Readonly<Record<string, string>> = {
  batch: 'batch',
  backoff: 'backoff',
  backoffDelay: 'backoff',
  fallbackTo: 'fallback-to',
  fromAsyncIterable: 'from-async-iterable',
  joinAll: 'join-all',
  joinLines: 'join-lines',
  onErrorReturnItem: 'on-error-return-item',
  rateWindow: 'rate-window',
  toAsyncIterable: 'to-async-iterable',
};
const OWN_CASES: Readonly<Record<string, RegExp>> = {
  empty: /empt|nothing to wait for/i,
  never: /never|silence|nothing that ends/i,
  error: /error/,
  'early unsubscribe': /unsub|consumer (?:that )?(?:leaves|has left)|break/,
  'a synchronous source': /synchronous|take\(\d\)/,
};

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe('the marble test of', () => {
  const operators = Object.keys(pack).filter((name) => !NO_OPERATORS.has(name));

  it.each(operators)('%s has the standing cases', (name) => {
    const path = `${folder}${WITH_OWN_CASES[name] ?? kebab(name)}.test.ts`;
    expect(existsSync(path)).toBe(true);
    const text = readFileSync(path, 'utf8');
    const lacking =
      name in WITH_OWN_CASES
        ? Object.entries(OWN_CASES).flatMap(([what, said]) => (said.test(text) ? [] : [what]))
        : /\b(?:packStandingCases|operatorCases|standingCases)[<(]/.test(text)
          ? []
          : ['all'];
    expect(lacking).toEqual([]);
  });
});
