import { atLeast } from './at-least.js';

/** Closed: calls are let through. Open: none. Half-open: a few, to find out. */
export type CircuitState = 'closed' | 'open' | 'halfOpen';

/** When a circuit opens, and how it closes again. */
export interface CircuitConfig {
  /** Opens when this share of the last calls failed, 0 … 1. Default 0.5. */
  readonly failureRatio?: number;
  /** The share is that of so many last calls. Default 100. */
  readonly windowCalls?: number;
  /** Fewer calls than this say nothing. Default 10. */
  readonly minCalls?: number;
  /** Stays open for so long. Default 60 000. */
  readonly openMs?: number;
  /** Then lets so many calls through, and judges by them. Default 10. */
  readonly halfOpenCalls?: number;
  /** Whether an error counts as a failure. Default: every error does. */
  readonly isFailure?: (error: unknown) => boolean;
  /** Hears of every change. */
  readonly onChange?: (to: CircuitState, from: CircuitState) => void;
}

/** The permission for one call. Its result counts only while the state lasts in which it was given. */
export type Permission = number;

/**
 * The state of a circuit breaker, without streams or clocks: closed (calls pass and are counted), open (calls are
 * rejected), half-open (some calls pass, and decide). The terms are those of resilience4j.
 *
 * One circuit belongs to one thing that may be down, and is shared by all calls to it. Memory: `windowCalls` flags.
 *
 * @example
 * ```ts
 * const circuit = new Circuit({ minCalls: 2, openMs: 1000 });
 * for (const now of [0, 1]) circuit.settle(circuit.admit(now) ?? 0, true, now);
 * console.log(circuit.state, circuit.admit(500), circuit.admit(1001) !== undefined, circuit.state);
 * // → open undefined true halfOpen
 * ```
 */
export class Circuit {
  readonly #config: Required<Omit<CircuitConfig, 'onChange' | 'isFailure'>> & CircuitConfig;
  #state: CircuitState = 'closed';
  /** Changes with every state. */
  #era: Permission = 1;
  #openedAt = 0;
  /** Half-open: calls that were let through. */
  #admitted = 0;
  /** Results of the last calls, true for a failure. */
  #results: boolean[] = [];
  #oldest = 0;
  #failures = 0;

  constructor(config: CircuitConfig = {}) {
    const defaults = { failureRatio: 0.5, windowCalls: 100, minCalls: 10, openMs: 60_000, halfOpenCalls: 10 };
    this.#config = { ...defaults, ...config };
    const { failureRatio, openMs, windowCalls, minCalls, halfOpenCalls } = this.#config;
    atLeast(0, { failureRatio, openMs });
    atLeast(1, { minCalls, windowCalls, halfOpenCalls });
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Asks for one call: a permission, or undefined when it is rejected. */
  admit(nowMs: number): Permission | undefined {
    if (this.#state === 'open') {
      if (nowMs - this.#openedAt < this.#config.openMs) return undefined;
      this.#change('halfOpen', nowMs);
    }
    if (this.#state === 'halfOpen') {
      if (this.#admitted >= this.#config.halfOpenCalls) return undefined;
      this.#admitted++;
    }
    return this.#era;
  }

  /** The call of a permission has ended. */
  settle(permission: Permission, hasFailed: boolean, nowMs: number): void {
    if (permission !== this.#era || this.#state === 'open') return;
    this.#count(hasFailed);
    const { failureRatio, halfOpenCalls, windowCalls, minCalls } = this.#config;
    const needed = this.#state === 'halfOpen' ? halfOpenCalls : Math.min(minCalls, windowCalls);
    if (this.#results.length < needed) return;
    if (this.#failures > 0 && this.#failures / this.#results.length >= failureRatio) this.#change('open', nowMs);
    else if (this.#state === 'halfOpen') this.#change('closed', nowMs);
  }

  /** Whether an error counts against the circuit. */
  isFailure(error: unknown): boolean {
    return this.#config.isFailure?.(error) ?? true;
  }

  /** The call of a permission was given up: it says nothing. */
  release(permission: Permission): void {
    if (permission === this.#era && this.#state === 'halfOpen') this.#admitted--;
  }

  #count(hasFailed: boolean): void {
    const size = this.#state === 'halfOpen' ? this.#config.halfOpenCalls : this.#config.windowCalls;
    if (this.#results.length === size) {
      if (this.#results[this.#oldest] === true) this.#failures--;
      this.#results[this.#oldest] = hasFailed;
      this.#oldest = (this.#oldest + 1) % size;
    } else this.#results.push(hasFailed);
    if (hasFailed) this.#failures++;
  }

  #change(to: CircuitState, nowMs: number): void {
    const from = this.#state;
    this.#state = to;
    this.#era++;
    this.#openedAt = nowMs;
    this.#admitted = 0;
    this.#results = [];
    this.#oldest = 0;
    this.#failures = 0;
    this.#config.onChange?.(to, from);
  }
}
