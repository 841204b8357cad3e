const NAMES = { TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 } as const;

/** OpenTelemetry's severity numbers. */
type SeverityName = keyof typeof NAMES;

const ALIASES: Readonly<Record<string, SeverityName>> = {
  finest: 'TRACE',
  finer: 'TRACE',
  verbose: 'TRACE',
  silly: 'TRACE',
  dbg: 'DEBUG',
  fine: 'DEBUG',
  d: 'DEBUG',
  information: 'INFO',
  informational: 'INFO',
  notice: 'INFO',
  log: 'INFO',
  config: 'INFO',
  i: 'INFO',
  warning: 'WARN',
  w: 'WARN',
  err: 'ERROR',
  severe: 'ERROR',
  failure: 'ERROR',
  e: 'ERROR',
  crit: 'FATAL',
  critical: 'FATAL',
  alert: 'FATAL',
  emerg: 'FATAL',
  emergency: 'FATAL',
  panic: 'FATAL',
  f: 'FATAL',
};

const BY_NAME: ReadonlyMap<string, number> = new Map([
  ...Object.entries(NAMES).map(([name, number]): [string, number] => [name.toLowerCase(), number]),
  ...Object.entries(ALIASES).map(([alias, name]): [string, number] => [alias, NAMES[name]]),
]);

/** Every level name that is understood, in lower case. */
export const levelNames: readonly string[] = [
  ...Object.keys(NAMES).map((name) => name.toLowerCase()),
  ...Object.keys(ALIASES),
];

/** The names as most logs spell them, by the code of their first letter, which differs: no hash has to be computed. */
const BY_FIRST_LETTER: readonly (readonly [name: string, severity: number] | undefined)[] = Array.from(
  { length: 128 },
  (_, code) => Object.entries(NAMES).find(([name]) => name.charCodeAt(0) === code),
);

/**
 * The severity of a level's name, without regard to case and with the usual aliases
 * (TRACE 1, DEBUG 5, INFO 9, WARN 13, ERROR 17, FATAL 21; warning = WARN, err = ERROR, crit = FATAL …), or undefined.
 * Source: OpenTelemetry, Logs Data Model, SeverityNumber.
 */
export function severityOf(level: string): number | undefined {
  const usual = BY_FIRST_LETTER[level.charCodeAt(0)];
  if (usual?.[0] === level) return usual[1];
  return BY_NAME.get(level) ?? BY_NAME.get(level.trim().toLowerCase());
}

/** The same for a name that lies within a text, possibly among white space: most are told without taking them out. */
export function severityWithin(text: string, from: number, to: number): number | undefined {
  const usual = BY_FIRST_LETTER[text.charCodeAt(from)];
  if (usual?.[0].length === to - from && isAt(usual[0], text, from)) return usual[1];
  return severityOf(text.substring(from, to));
}

function isAt(name: string, text: string, from: number): boolean {
  // A native search costs more than a few comparisons.
  for (let at = 1; at < name.length; at++) if (text.charCodeAt(from + at) !== name.charCodeAt(at)) return false;
  return true;
}
