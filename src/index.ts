export { aimdLimit, gradientLimit } from './operators/adaptive-limit.js';
export type {
  AimdConfig,
  CallSample,
  GradientConfig,
  LimitBounds,
  LimitRule,
  LimitState,
} from './operators/adaptive-limit.js';
export { backoff, backoffDelay, backoffMs } from './operators/backoff.js';
export type { BackoffPolicy, FailedTry } from './operators/backoff.js';
export { batch } from './operators/batch.js';
export type { BatchConfig } from './operators/batch.js';
export type { Overflow, QueueLimits } from './operators/bounded-queue.js';
export { circuitBreaker } from './operators/circuit-breaker.js';
export { Circuit } from './operators/circuit.js';
export type { CircuitConfig, CircuitState, Permission } from './operators/circuit.js';
export type { Condition } from './operators/condition.js';
export { deadLetter } from './operators/dead-letter.js';
export type { Side, Undeliverable } from './operators/dead-letter.js';
export { distinctWithin } from './operators/distinct-within.js';
export type { DistinctConfig } from './operators/distinct-within.js';
export { drop } from './operators/drop.js';
export { fallbackEach } from './operators/fallback-each.js';
export type { FallbackEachConfig } from './operators/fallback-each.js';
export { fallbackTo } from './operators/fallback-to.js';
export type { FallbackConfig } from './operators/fallback-to.js';
export { fields } from './operators/fields.js';
export type { FieldsConfig } from './operators/fields.js';
export { fromAsyncIterable } from './operators/from-async-iterable.js';
export type { FromAsyncIterableConfig } from './operators/from-async-iterable.js';
export { groupByTtl } from './operators/group-by-ttl.js';
export type { GroupTtlConfig } from './operators/group-by-ttl.js';
export { joinAll } from './operators/join-all.js';
export type { JoinAllConfig } from './operators/join-all.js';
export { joinLines } from './operators/join-lines.js';
export type { JoinLinesConfig } from './operators/join-lines.js';
export { keep } from './operators/keep.js';
export { mergeMapBounded } from './operators/merge-map-bounded.js';
export type { MergeLimits } from './operators/merge-map-bounded.js';
export { mirror } from './operators/mirror.js';
export type { Lost, MirrorConfig } from './operators/mirror.js';
export { normalize } from './operators/normalize.js';
export type { NormalizeConfig } from './operators/normalize.js';
export { onBackpressureBuffer } from './operators/on-backpressure-buffer.js';
export type { BackpressureBufferConfig } from './operators/on-backpressure-buffer.js';
export { onBackpressureDrop } from './operators/on-backpressure-drop.js';
export type { BackpressureDropConfig } from './operators/on-backpressure-drop.js';
export { onBackpressureLatest } from './operators/on-backpressure-latest.js';
export { onErrorReturnItem } from './operators/on-error-return-item.js';
export { orderedMergeMap } from './operators/ordered-merge-map.js';
export type { OrderedMergeLimits } from './operators/ordered-merge-map.js';
export { parse } from './operators/parse.js';
export type { ParseConfig } from './operators/parse.js';
export { rateWindow } from './operators/rate-window.js';
export type { Rate } from './operators/rate-window.js';
export { recoverOrTerminate } from './operators/recover-or-terminate.js';
export type { RecoverConfig } from './operators/recover-or-terminate.js';
export { retryBackoff } from './operators/retry-backoff.js';
export { route } from './operators/route.js';
export type { Way } from './operators/route.js';
export { sampleRatio } from './operators/sample-ratio.js';
export { semaphore } from './operators/semaphore.js';
export type { Permits } from './operators/semaphore.js';
export { slidingWindowLimit } from './operators/sliding-window-limit.js';
export type { SlidingWindowConfig } from './operators/sliding-window-limit.js';
export { throttleByKey } from './operators/throttle-by-key.js';
export type { ThrottleByKeyConfig } from './operators/throttle-by-key.js';
export { timeoutEach } from './operators/timeout-each.js';
export type { TimeoutEachConfig } from './operators/timeout-each.js';
export { toAsyncIterable } from './operators/to-async-iterable.js';
export type { AsyncIterableConfig } from './operators/to-async-iterable.js';
export { withDemand } from './operators/with-demand.js';
export { LogEvent } from './model/event.js';
export type { Origin, Outcome } from './model/event.js';
export { MillraceError } from './model/errors.js';
export type { ErrorCode } from './model/errors.js';
