import type { OperatorFunction } from 'rxjs';
import { AlertsMachine } from './alerts.js';
import type { AlertsState, AlertTransition, IgnoredReason } from './alerts.js';
import type { KeptState } from './kept-state.js';
import { runMachine } from './machine.js';
import type { Key } from './panes.js';

/** When something is wrong, when it is over, and how long either must last. */
export interface AlertStateConfig<T, K extends Key> {
  /** The rule's name, part of every transition's id. */
  readonly rule: string;
  /** When it was observed, in ms: the end of its window, say. The only clock there is. */
  readonly timeOf: (element: T) => number;
  readonly breaches: (element: T) => boolean;
  /** Hysteresis: what must hold for it to be over. Default: that it does not breach. */
  readonly clears?: (element: T) => boolean;
  /** One alert for each key. Default: everything has one key, ''. */
  readonly keyOf?: (element: T) => K;
  /** A breach must have lasted this long before it is an alert. Default 0: at once, and never pending. */
  readonly forMs?: number;
  /** It must have been clear this long, without a break, before an alert is over. Default 0. */
  readonly keepFiringMs?: number;
  /** Keys remembered. For another one, the normal key observed longest ago is forgotten. Default 10 000. */
  readonly maxKeys?: number;
  /** Hears of the observations that were not looked at. */
  readonly onIgnored?: (element: T, reason: IgnoredReason) => void;
  readonly state?: KeptState<AlertsState<K>> | undefined;
}

/**
 * Tells when an alert changes: from normal to pending when something breaches, to alerting when that has lasted
 * `forMs`, back to normal when it has been clear for `keepFiringMs`. One emission a change, none without.
 *
 * - on error, on complete: passed on, alerts stay as they are in `state`. On unsubscribe: has no timer.
 * - never emits the same status twice in a row for a key; keeps the order. Time comes with the observations, so nothing
 *   changes in silence, and a replay gives the same transitions with the same ids. An observation between `breaches` and
 *   `clears` keeps an alert as it is: a pending one does not become an alert by it, and stays pending.
 * - an observation older than the last one of its key is ignored as `old`.
 * - memory: `maxKeys` alerts. Only normal ones are forgotten; when all are pending or alerting, further keys are ignored
 *   as `full`. A throw in a callback is an error notification.
 * - source: the states of Prometheus' alerting rules (`for`, `keep_firing_for`), with hysteresis.
 *
 * ```marbles
 * source  -1-8-9-8-1-|
 * > map((load, at) => ({ load, timeMs: 2 * at + 1 })),
 * >   alertState({ rule: 'load', timeOf: (e) => e.timeMs, breaches: (e) => e.load > 7, forMs: 4 }),
 * >   map(({ from, to }) => `${from} → ${to}`)
 * output  ---x---y-z-|
 * where   x: 'normal → pending', y: 'pending → alerting', z: 'alerting → normal'
 * ```
 *
 * @example
 * ```ts
 * from([
 *   { timeMs: 0, rate: 2 },
 *   { timeMs: 60_000, rate: 70 },
 *   { timeMs: 120_000, rate: 80 },
 *   { timeMs: 180_000, rate: 3 },
 * ])
 *   .pipe(
 *     alertState({
 *       rule: 'error rate',
 *       timeOf: (window) => window.timeMs,
 *       breaches: (window) => window.rate > 50,
 *       clears: (window) => window.rate < 10,
 *       forMs: 60_000,
 *     }),
 *   )
 *   .subscribe(({ id, to }) => console.log(id, to));
 * // → error%20rate//60000/0 pending
 * // → error%20rate//120000/0 alerting
 * // → error%20rate//180000/0 normal
 * ```
 */
export function alertState<T, K extends Key = string>(
  config: AlertStateConfig<T, K>,
): OperatorFunction<T, AlertTransition<T, K>> {
  const create = (): AlertsMachine<T, K> => {
    const machine = new AlertsMachine(config, config.state?.saved);
    config.state?.connect(() => machine.capture());
    return machine;
  };
  return runMachine({ create });
}
