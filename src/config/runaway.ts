import { createRequire } from 'node:module';
import type { checkSync } from 'recheck';
import type { Faults, Path } from './fault.js';
import type { Located } from './located.js';

/** A pattern that takes longer to judge is let through: what it sees is bounded in any case. */
const MAX_CHECK_MS = 2000;
/** Time that grows with the square of at most 32 768 characters is a second; with the cube it is hours. */
const MAX_DEGREE = 2;

/** Keys whose texts are regular expressions, and keys below which names are free. */
const PATTERN_KEYS = ['pattern', 'matches', 'patterns', 'start', 'continuation'];
const FREE_KEYS = ['fields'];

/** The checker in plain JavaScript: the package's main entry would start processes. */
const CHECKER = 'recheck/lib/browser.js';

interface FoundPattern {
  readonly path: Path;
  readonly node: Located;
  readonly pattern: string;
}

function patternsIn(node: Located, path: Path, isPattern: boolean): readonly FoundPattern[] {
  if (isPattern && typeof node.value === 'string') return [{ path, node, pattern: node.value }];
  if (node.items !== undefined) return node.items.flatMap((item, at) => patternsIn(item, [...path, at], isPattern));
  return [...(node.entries ?? [])].flatMap(([key, entry]) =>
    FREE_KEYS.includes(key) ? [] : patternsIn(entry.node, [...path, key], PATTERN_KEYS.includes(key)),
  );
}

function isValid(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== '';
  } catch {
    return false;
  }
}

/** How the time of a pattern grows, if it does so beyond what can be waited for. */
function growthOf(pattern: string, check: typeof checkSync): string | undefined {
  const result = check(pattern, 'u', { timeout: MAX_CHECK_MS });
  if (result.status !== 'vulnerable') return undefined;
  const { complexity } = result;
  if (complexity.type === 'exponential') return 'exponentially with the length of the text';
  if (complexity.degree <= MAX_DEGREE) return undefined;
  return `with the length of the text to the power of ${complexity.degree}`;
}

/**
 * Refuses regular expressions that some texts would make run for ever: one such line stops a pipeline. The checker is
 * loaded with the first pattern; most configurations have none, and it is large.
 */
export function findRunaways(root: Located, faults: Faults): void {
  const found = patternsIn(root, [], false).filter(({ pattern }) => isValid(pattern));
  if (found.length === 0) return;
  const { checkSync: check } = createRequire(import.meta.url)(CHECKER) as { readonly checkSync: typeof checkSync };
  for (const { path, node, pattern } of found) {
    const growth = growthOf(pattern, check);
    if (growth === undefined) continue;
    faults.add(node.offset, path, `expected a regular expression that cannot run away: its time can grow ${growth}`);
  }
}
