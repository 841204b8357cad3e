import { atLeast } from './at-least.js';

/** What a limit is learnt from: one call that has ended. */
export interface CallSample {
  readonly latencyMs: number;
  /** How many were running when it started, itself included. */
  readonly running: number;
  readonly hasFailed: boolean;
}

/** A limit, and the latency it takes for normal. An immutable value that can be stored. */
export interface LimitState {
  readonly limit: number;
  readonly baselineMs: number;
}

/** A limit that is learnt: where it starts, and what a call does to it. Pure, so any number of streams may share it. */
export interface LimitRule {
  readonly initial: LimitState;
  readonly next: (state: LimitState, sample: CallSample) => LimitState;
}

/** Between what a limit may move. */
export interface LimitBounds {
  /** Default `min`. */
  readonly initial?: number;
  /** Default 1. */
  readonly min?: number;
  readonly max: number;
}

/** When to step back, and how far. */
export interface AimdConfig extends LimitBounds {
  /** A call that takes longer counts as one that failed. */
  readonly maxLatencyMs: number;
  /** What is left of the limit after such a call. Default 0.9. */
  readonly keepRatio?: number;
}

/** How much slower a call may be, and how quickly the limit follows. */
export interface GradientConfig extends LimitBounds {
  /** A call may take so many times the normal latency before the limit shrinks. Default 1.5. */
  readonly tolerance?: number;
  /** How many calls may wait at the other end: what the limit grows by. Default 4. */
  readonly queue?: number;
  /** The weight of a new limit, 0 … 1. Default 0.2. */
  readonly smoothing?: number;
  /** The normal latency is a mean over about so many calls. Default 600. */
  readonly baselineCalls?: number;
}

function clampTo({ min = 1, max }: LimitBounds): (limit: number) => number {
  atLeast(1, { min });
  atLeast(min, { max });
  return (limit) => Math.min(max, Math.max(min, limit));
}

/**
 * Additive increase, multiplicative decrease: one more after a good call that found the limit at least half used, a
 * tenth less after one that failed or took too long. The rule of TCP; Netflix's concurrency-limits has it as AIMDLimit.
 *
 * @example
 * ```ts
 * const rule = aimdLimit({ initial: 10, max: 20, maxLatencyMs: 100 });
 * const good = rule.next(rule.initial, { latencyMs: 20, running: 8, hasFailed: false });
 * console.log(good.limit, rule.next(good, { latencyMs: 300, running: 8, hasFailed: false }).limit);
 * // → 11 9
 * ```
 */
export function aimdLimit(config: AimdConfig): LimitRule {
  const { min = 1, initial = min, maxLatencyMs, keepRatio = 0.9 } = config;
  const clamp = clampTo(config);
  return {
    initial: { limit: clamp(initial), baselineMs: 0 },
    next: (state, { latencyMs, running, hasFailed }) => {
      if (hasFailed || latencyMs > maxLatencyMs) return { ...state, limit: clamp(Math.floor(state.limit * keepRatio)) };
      return running * 2 >= state.limit ? { ...state, limit: clamp(state.limit + 1) } : state;
    },
  };
}

/**
 * Follows the latency: the limit shrinks by as much as calls are slower than they normally are, and grows while they
 * are not. Netflix's concurrency-limits has it as Gradient2Limit.
 *
 * @example
 * ```ts
 * const rule = gradientLimit({ initial: 20, max: 100 });
 * const normal = rule.next(rule.initial, { latencyMs: 10, running: 20, hasFailed: false });
 * const slow = rule.next(normal, { latencyMs: 40, running: 20, hasFailed: false });
 * console.log(normal.limit > 20, slow.limit < normal.limit);
 * // → true true
 * ```
 */
export function gradientLimit(config: GradientConfig): LimitRule {
  const { min = 1, initial = min, tolerance = 1.5, queue = 4, smoothing = 0.2, baselineCalls = 600 } = config;
  const clamp = clampTo(config);
  atLeast(1, { tolerance, baselineCalls });
  return {
    initial: { limit: clamp(initial), baselineMs: 0 },
    next: (state, { latencyMs, running, hasFailed }) => {
      const weight = 2 / (baselineCalls + 1);
      const mean = state.baselineMs === 0 ? latencyMs : state.baselineMs + (latencyMs - state.baselineMs) * weight;
      // Much slower before than now: it is over, so what was normal then is forgotten quickly.
      const baselineMs = mean > 2 * latencyMs ? mean * 0.95 : mean;
      if (!hasFailed && running * 2 < state.limit) return { ...state, baselineMs };
      const gradient = hasFailed ? 0.5 : Math.max(0.5, Math.min(1, (tolerance * baselineMs) / latencyMs || 1));
      const wanted = state.limit * gradient + (hasFailed ? 0 : queue);
      return { limit: clamp(state.limit * (1 - smoothing) + wanted * smoothing), baselineMs };
    },
  };
}
