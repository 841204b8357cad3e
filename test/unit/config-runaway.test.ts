import { describe, expect, it } from 'vitest';
import { ConfigError, formatFault, loadConfig } from '../../src/config/load.js';

/** The faults of a pipeline with this stage; `${RE}` in it is the pattern. */
function faultsOf(stage: string, pattern = ''): string[] {
  const text = `source: { stdin: {} }\nroutes: [{ to: { console: {} } }]\nstages:\n  - ${stage}\n`;
  try {
    loadConfig(text, 'app.yaml', { env: { RE: pattern }, cwd: '/work', readSecret: () => pattern });
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => formatFault(fault).replace(/^app\.yaml:/, ''));
    throw error;
  }
  return [];
}

function refused(pattern: string): boolean {
  const faults = faultsOf('keep: { field: message, matches: "${RE}" }', pattern);
  for (const fault of faults)
    expect(fault).toMatch(
      /^4:38: stages\[0\]\.keep\.matches: expected a regular expression that cannot run away: its time can grow /,
    );
  return faults.length > 0;
}

describe('patterns that can run away', () => {
  it.each([
    '(a+)+$',
    '^(a|a)*$',
    '^(a|aa)+$',
    '(x+x+)+y',
    '^(\\w+\\s?)*$',
    '(.*)*x',
    '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$',
    '(?:\\d+|\\d+\\.)+:',
    '^(?<a>(\\S+\\s*)+)\\]$',
    '(a*)*b',
    '^(?<a>.*) - (?<b>.*) - (?<c>.*)$',
  ])('%s is refused', (pattern) => {
    expect(refused(pattern)).toBe(true);
  });

  it.each([
    '^(?<level>\\w+) +\\[(?<thread>[^\\]]*)\\] - (?<message>.*)$',
    'ORD-\\d{6}',
    '\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b',
    'timeout|refused',
    '^\\s+at ',
    '^(?:[a-z]+\\.)+[a-z]+$',
    '\\p{Lu}{2,}',
    '\\s+$',
    '(?<=id=)\\d+',
  ])('%s is not', (pattern) => {
    expect(refused(pattern)).toBe(false);
  });

  it('are found wherever a pattern may stand, beside other faults, and nowhere else', () => {
    const grows =
      'expected a regular expression that cannot run away: its time can grow exponentially with the length of the text';
    expect(faultsOf('parse: { format: regex, pattern: "(?<a>a+)+$", x: 1 }')).toEqual([
      `4:38: stages[0].parse.pattern: ${grows}`,
      '4:52: stages[0].parse.x: unknown key, expected one of format, pattern, maxInputChars',
    ]);
    expect(faultsOf('drop: { or: [{ level: WARN }, { not: { field: a, matches: "(a+)+$" } }] }')).toEqual([
      `4:63: stages[0].drop.or[1].not.matches: ${grows}`,
    ]);
    expect(faultsOf('redact: { patterns: ["x", "(a+)+$"] }')).toEqual([`4:31: stages[0].redact.patterns[1]: ${grows}`]);
    expect(faultsOf('fields: { set: { pattern: "(a+)+$", matches: "(" } }')).toEqual([]);
  });
});
