import { MillraceError } from '../model/errors.js';
import { nothing } from './machine.js';
import type { Machine } from './machine.js';
import { onlyKey } from './panes.js';
import type { Key } from './panes.js';
import { Recent } from './recent.js';

/** Where an alert is: nothing is wrong, something may be, something is. */
export type AlertStatus = 'normal' | 'pending' | 'alerting';

/** A change of one alert. */
export interface AlertTransition<T, K> {
  /** The same for the same observations, after a restart and in a replay, too: rule, key, time and a number. */
  readonly id: string;
  readonly rule: string;
  readonly key: K;
  readonly from: AlertStatus;
  readonly to: AlertStatus;
  readonly timeMs: number;
  /** When the breach began that this is about. */
  readonly sinceMs: number;
  /** What was observed at that time. */
  readonly element: T;
}

/** Why an observation was not looked at. `old`: its key was observed later. `full`: all of `maxKeys` are not normal. */
export type IgnoredReason = 'old' | 'full';

export interface AlertsConfig<T, K extends Key> {
  readonly rule: string;
  readonly timeOf: (element: T) => number;
  readonly breaches: (element: T) => boolean;
  readonly clears?: ((element: T) => boolean) | undefined;
  readonly keyOf?: ((element: T) => K) | undefined;
  readonly forMs?: number | undefined;
  readonly keepFiringMs?: number | undefined;
  readonly maxKeys?: number | undefined;
  readonly onIgnored?: ((element: T, reason: IgnoredReason) => void) | undefined;
}

/** One alert as it can be saved. */
export interface Alert {
  readonly status: AlertStatus;
  /** When the breach began; null when normal. */
  readonly sinceMs: number | null;
  /** Since when it has been clear without a break; null while it is not. */
  readonly clearSinceMs: number | null;
  /** When it was observed last. */
  readonly lastMs: number;
  /** How many transitions there were in that instant. */
  readonly transitions: number;
}

/** The alerts as they can be saved: those that are normal, the one observed last at the end, and the others. */
export interface AlertsState<K> {
  readonly version: 1;
  readonly rule: string;
  readonly normal: readonly (readonly [key: K, alert: Alert])[];
  readonly active: readonly (readonly [key: K, alert: Alert])[];
}

/** How long is long enough. */
export interface AlertTimes {
  readonly forMs: number;
  readonly keepFiringMs: number;
}

/** What an observation says. Between the two limits of a hysteresis it says neither. */
export interface Observation {
  readonly timeMs: number;
  readonly isBreach: boolean;
  readonly isClear: boolean;
}

/** The alert after an observation. Pure: the whole rule of when an alert changes. */
export function nextAlert(alert: Alert, { timeMs, isBreach, isClear }: Observation, times: AlertTimes): Alert {
  const transitions = timeMs === alert.lastMs ? alert.transitions : 0;
  const seen = { ...alert, lastMs: timeMs, transitions };
  const normal: Alert = { ...seen, status: 'normal', sinceMs: null, clearSinceMs: null };
  if (alert.status === 'normal') {
    if (!isBreach) return seen;
    return { ...seen, status: times.forMs > 0 ? 'pending' : 'alerting', sinceMs: timeMs };
  }
  if (alert.status === 'pending') {
    if (isClear) return normal;
    const isLongEnough = timeMs - (alert.sinceMs ?? timeMs) >= times.forMs;
    return isLongEnough && isBreach ? { ...seen, status: 'alerting' } : seen;
  }
  if (!isClear) return { ...seen, clearSinceMs: null };
  const clearSinceMs = alert.clearSinceMs ?? timeMs;
  return timeMs - clearSinceMs >= times.keepFiringMs ? normal : { ...seen, clearSinceMs };
}

/** An alert for each key, from normal over pending to alerting and back. */
export class AlertsMachine<T, K extends Key> implements Machine<T, AlertTransition<T, K>> {
  readonly #config: AlertsConfig<T, K>;
  readonly #keyOf: (element: T) => K;
  readonly #times: AlertTimes;
  readonly #maxKeys: number;
  /** Those that may be forgotten. */
  readonly #normal: Recent<K, Alert>;
  readonly #active = new Map<K, Alert>();

  constructor(config: AlertsConfig<T, K>, saved?: AlertsState<K>) {
    const { keyOf = onlyKey as () => K, forMs = 0, keepFiringMs = 0, maxKeys = 10_000 } = config;
    this.#config = config;
    this.#keyOf = keyOf;
    this.#times = { forMs, keepFiringMs };
    this.#maxKeys = maxKeys;
    this.#normal = new Recent(maxKeys);
    if (saved === undefined) return;
    if (saved.rule !== config.rule) {
      throw new MillraceError('MILLRACE_E_STATE_UNFIT', `${saved.rule} is not ${config.rule}`);
    }
    for (const [key, alert] of saved.normal) this.#normal.add(key, alert);
    for (const [key, alert] of saved.active) this.#active.set(key, alert);
  }

  next(element: T): readonly AlertTransition<T, K>[] {
    const { timeOf, breaches, clears, onIgnored } = this.#config;
    const key = this.#keyOf(element);
    const timeMs = timeOf(element);
    const before = this.#active.get(key) ?? this.#normal.see(key);
    // NaN is neither later nor the same.
    if (!(timeMs >= (before?.lastMs ?? -Infinity))) {
      onIgnored?.(element, 'old');
      return nothing;
    }
    if (before === undefined && this.#active.size >= this.#maxKeys) {
      onIgnored?.(element, 'full');
      return nothing;
    }
    const isBreach = breaches(element);
    const isClear = !isBreach && (clears === undefined || clears(element));
    return this.#change(element, key, before ?? fresh(timeMs), { timeMs, isBreach, isClear });
  }

  capture(): AlertsState<K> {
    return { version: 1, rule: this.#config.rule, normal: [...this.#normal], active: [...this.#active] };
  }

  #change(element: T, key: K, before: Alert, observation: Observation): readonly AlertTransition<T, K>[] {
    const after = nextAlert(before, observation, this.#times);
    if (after.status === before.status) {
      this.#keep(key, after);
      return nothing;
    }
    this.#keep(key, { ...after, transitions: after.transitions + 1 });
    const { rule } = this.#config;
    const { timeMs } = observation;
    const id = [rule, String(key)].map(encodeURIComponent).join('/') + `/${timeMs}/${after.transitions}`;
    const sinceMs = after.sinceMs ?? before.sinceMs ?? timeMs;
    return [{ id, rule, key, from: before.status, to: after.status, timeMs, sinceMs, element }];
  }

  /** Together they are `maxKeys` at most: the normal ones make room. */
  #keep(key: K, alert: Alert): void {
    this.#normal.delete(key);
    if (alert.status === 'normal') {
      this.#active.delete(key);
      this.#normal.add(key, alert);
    } else this.#active.set(key, alert);
    const oldest = this.#normal.oldest;
    if (oldest !== undefined && this.#normal.size + this.#active.size > this.#maxKeys) this.#normal.delete(oldest[0]);
  }
}

function fresh(timeMs: number): Alert {
  return { status: 'normal', sinceMs: null, clearSinceMs: null, lastMs: timeMs, transitions: 0 };
}
