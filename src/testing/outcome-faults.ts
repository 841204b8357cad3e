/** How often each line may come out, and in which order. */
export interface OutcomeRule {
  /** `exactlyOnce`: as often as without a crash. `atLeastOnce`: not less often, and whatever comes again has been there. */
  readonly promise: 'exactlyOnce' | 'atLeastOnce';
  /** Lines for which this is the same must come in their order (the first of each, if they may come again). */
  readonly orderedBy?: (line: string) => unknown;
}

function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

function groupsOf(lines: Iterable<string>, keyOf: (line: string) => unknown): Map<unknown, string[]> {
  const groups = new Map<unknown, string[]>();
  for (const line of lines) groups.set(keyOf(line), [...(groups.get(keyOf(line)) ?? []), line]);
  return groups;
}

/** What is wrong with `got`, where `expected` came out without a crash. Empty: nothing. */
export function outcomeFaults(got: readonly string[], expected: readonly string[], rule: OutcomeRule): string[] {
  const [there, due] = [countsOf(got), countsOf(expected)];
  const faults: string[] = [];
  for (const [line, count] of due) if ((there.get(line) ?? 0) < count) faults.push(`lost: ${line}`);
  for (const [line, count] of there) {
    const most = due.get(line) ?? 0;
    if (most === 0) faults.push(`never written: ${line}`);
    else if (count > most && rule.promise === 'exactlyOnce') faults.push(`${count} times instead of ${most}: ${line}`);
  }
  const { orderedBy } = rule;
  if (faults.length > 0 || orderedBy === undefined) return faults;
  const inOrder = groupsOf(new Set(expected), orderedBy);
  for (const [key, lines] of groupsOf(new Set(got), orderedBy)) {
    const first = lines.findIndex((line, at) => line !== inOrder.get(key)?.[at]);
    if (first >= 0) faults.push(`out of order: ${lines[first] ?? ''}`);
  }
  return faults;
}
