import { fileURLToPath } from 'node:url';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pack } from './pack.js';

const folder = fileURLToPath(new URL('../src/operators/', import.meta.url));
const text = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(folder + name, 'utf8'))
  .join('\n');

/** What is exported and is no operator: nouns, reducers and arithmetic. */
const NO_OPERATORS = new Set([
  ...['LogEvent', 'MillraceError', 'backoffMs', 'aimdLimit', 'gradientLimit', 'Circuit', 'KeptState'],
  ...['countOf', 'sumOf', 'minOf', 'maxOf', 'meanOf', 'statsOf'],
]);

/** What somebody who uses an operator has to know, and how it is said. */
const QUESTIONS: Readonly<Record<string, RegExp>> = {
  'what happens on error': /\bon error/i,
  'what happens on completion': /\bon complete/i,
  'what happens on unsubscription': /\bon unsubscribe/i,
  'what it never emits': /\bnever\b/i,
  'in which order': /\border\b/,
  'how much it remembers': /\bmemory\b/i,
};

/** The prose of the comment before an exported function. */
function prose(name: string): string {
  const [, comment = ''] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*export function ${name}\\b`).exec(text) ?? [];
  return comment.replace(/```[^]*?```/g, '');
}

describe('the doc comment of', () => {
  const operators = Object.keys(pack).filter((name) => !NO_OPERATORS.has(name));

  it.each(operators)('%s says how it ends, what it never emits, in which order, and how much it remembers', (name) => {
    const unanswered = Object.entries(QUESTIONS).filter(([, said]) => !said.test(prose(name)));
    expect(unanswered.map(([question]) => question)).toEqual([]);
  });
});
