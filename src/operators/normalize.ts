import { Shape } from '../model/event.js';
import { severityOf } from '../model/severity.js';
import { isoTimes, rfc3339 } from './iso-time.js';
import { stage } from './stage.js';
import type { Stage } from './stage.js';

/** How times are read. Without anything: ISO 8601 and its relatives in UTC, and seconds or milliseconds since 1970. */
export interface NormalizeConfig {
  /** Reads what is not ISO 8601: milliseconds since 1970, or undefined if it cannot. */
  readonly readTime?: (text: string) => number | undefined;
  /** Whether a time without a zone is UTC. If not, it is left to `readTime`. Default true. */
  readonly isUtc?: boolean;
}

/** What normalising does to all events of a shape: computed once for it. */
interface Plan {
  readonly shape: Shape;
  readonly time: number;
  readonly level: number;
  readonly rest: readonly number[];
  readonly normalized: Shape;
}

function planFor(shape: Shape): Plan {
  const time = shape.slot('time');
  const level = shape.slot('level');
  const replaced = ['@timestamp', 'log.level', 'event.severity'];
  const rest = shape.keys.flatMap((key, slot) =>
    slot === time || slot === level || replaced.includes(key) ? [] : [slot],
  );
  const normalized = new Shape([...replaced, ...rest.map((slot) => shape.keys[slot] ?? '')]);
  return { shape, time, level, rest, normalized };
}

const EPOCH = /^\d{9,10}(?:\.\d{1,9})?$|^\d{12,13}$/;
/** Numbers up to here are seconds: as milliseconds they would be in 1970. */
const MAX_SECONDS = 1e11;

function epochTime(value: number): string | undefined {
  return rfc3339(value < MAX_SECONDS ? value * 1000 : value);
}

function timeReader({ readTime, isUtc = true }: NormalizeConfig): (value: unknown) => string | undefined {
  const iso = isoTimes(isUtc);
  return (value) => {
    if (typeof value === 'number') return epochTime(value);
    if (typeof value !== 'string') return undefined;
    const time = iso(value);
    if (time !== undefined) return time;
    const millis = readTime?.(value);
    if (millis !== undefined) return rfc3339(millis);
    return EPOCH.test(value) ? epochTime(Number(value)) : undefined;
  };
}

/**
 * Gives time and level their ECS names: `@timestamp` (RFC 3339, UTC) from `time`, `log.level` in its original spelling
 * and `event.severity` (OpenTelemetry's numbers) from `level`; `time` and `level` are removed. A time or a level that
 * cannot be read stays as it was. Events that already have `log.level` get their severity.
 *
 * - on error, on complete, on unsubscribe: as the source. Keeps the order, emits every event.
 * - never emits an event more or less than it was given.
 * - memory: one plan for the shape of the last event.
 *
 * ```marbles
 * source  -a-b-|
 * > normalize()
 * output  -x-y-|
 * where   a: event({ time: '2024-05-01 12:00:00', level: 'warn' })
 * where   x: { '@timestamp': '2024-05-01T12:00:00.000Z', 'log.level': 'warn', 'event.severity': 13 }
 * where   b: event({ level: 'odd' }), y: { level: 'odd' }
 * ```
 *
 * @example
 * ```ts
 * events('{"time":"2024-05-01 12:00:00","level":"warn"}')
 *   .pipe(parse({ format: 'json' }), normalize())
 *   .subscribe((event) => console.log(event.fields));
 * // → { '@timestamp': '2024-05-01T12:00:00.000Z', 'log.level': 'warn', 'event.severity': 13 }
 * ```
 */
export function normalize(config: NormalizeConfig = {}): Stage {
  const readTime = timeReader(config);
  // Remembered for the next event, which mostly looks the same; it changes no result, so subscriptions may share it.
  let plan = planFor(new Shape([]));
  return stage(
    (event) => {
      if (event.shape !== plan.shape) plan = planFor(event.shape);
      const { time: timeSlot, level: levelSlot, rest, normalized } = plan;
      const level = levelSlot < 0 ? undefined : event.values[levelSlot];
      const time = timeSlot < 0 ? undefined : readTime(event.values[timeSlot]);
      const severity = typeof level === 'string' ? severityOf(level) : undefined;
      if (time === undefined || severity === undefined) {
        return event.with(changesFor(event.get.bind(event), time, level, severity));
      }
      const values = new Array<unknown>(rest.length + 3);
      values[0] = time;
      values[1] = level;
      values[2] = severity;
      for (let at = 0; at < rest.length; at++) values[at + 3] = event.values[rest[at] ?? 0];
      return event.derive(normalized, values);
    },
    { keepsLevel: true },
  );
}

/** The uncommon case: a part is missing or cannot be read. */
function changesFor(
  get: (key: string) => unknown,
  time: string | undefined,
  level: unknown,
  severity: number | undefined,
): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  if (time !== undefined) Object.assign(changes, { '@timestamp': time, time: undefined });
  if (severity !== undefined) {
    return Object.assign(changes, { 'log.level': level, 'event.severity': severity, level: undefined });
  }
  const given = get('log.level');
  const known = level === undefined && typeof given === 'string' ? severityOf(given) : undefined;
  return known === undefined ? changes : Object.assign(changes, { 'event.severity': known });
}
