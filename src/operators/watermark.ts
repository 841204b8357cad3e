import type { Machine } from './machine.js';
import { nothing } from './machine.js';
import type { Aside, InTime, Watermarked } from './watermarked.js';

/** What the one who reads the lanes knows of a lane, and its elements do not say. */
export interface LaneSignal {
  readonly lane: string;
  /**
   * `open`: it will come, wait for its first element. `held`: it is not read because of demand, so its silence means
   * nothing. `released`: it is read again. `ended`: nothing more will come.
   */
  readonly is: 'open' | 'held' | 'released' | 'ended';
}

/** The lanes as they can be saved. Null: no element yet. */
export interface WatermarkState {
  readonly version: 1;
  readonly watermarkMs: number | null;
  readonly greatestMs: number | null;
  readonly lanes: readonly (readonly [lane: string, newestMs: number | null])[];
}

/** Of which elements, how late and how long to wait. */
export interface WatermarkConfig<T> {
  /** When an element happened, in ms since 1970. NaN: it has no time, and is put aside. */
  readonly timeOf: (element: T) => number;
  /** What keeps order. Default: everything is one lane. */
  readonly laneOf?: (element: T) => string;
  /** An element may be this much older than the newest one of its lane. Default 0: lanes are in order. */
  readonly maxDisorderMs?: number;
  /** A lane that is silent this long, by the scheduler, is not waited for until it speaks again. Default: wait. */
  readonly idleMs?: number;
  /**
   * When no lane has spoken for this long, by the scheduler, the watermark follows the clock, this much behind, so
   * that the last windows of a quiet stream close. Default: they wait for the next element.
   */
  readonly followClockAfterMs?: number;
  /** An element this far ahead of the scheduler's clock is put aside and moves nothing. Default: all are believed. */
  readonly maxAheadMs?: number;
  /** More lanes than this are not remembered: the one that spoke longest ago is forgotten. Default 10 000. */
  readonly maxLanes?: number;
  /** Hears of the elements that cannot be placed in time. */
  readonly onAside?: (aside: Aside<T>) => void;
}

interface Lane {
  readonly name: string;
  newestMs: number;
  /** By the clock. */
  spokeAtMs: number;
  isHeld: boolean;
  isIdle: boolean;
}

const msOrNull = (timeMs: number): number | null => (timeMs === -Infinity ? null : timeMs);

/** How far time has come, lane by lane, and in all of them. */
export class WatermarkMachine<T> implements Machine<T, Watermarked<T>, LaneSignal> {
  readonly usesClock: boolean;
  readonly #config: WatermarkConfig<T>;
  readonly #disorderMs: number;
  readonly #idleMs: number;
  readonly #followMs: number;
  readonly #lanes = new Map<string, Lane>();
  /** Those that are waited for. */
  #active: Lane[] = [];
  #last: Lane | undefined;
  /** The least of what the active lanes have seen. */
  #leastMs = -Infinity;
  /** The furthest that any lane ever came, for when no lane is left to wait for. */
  #greatestMs = -Infinity;
  #watermarkMs = -Infinity;
  #spokeAtMs: number;
  #followedAtMs = -Infinity;

  constructor(config: WatermarkConfig<T>, nowMs: number, saved?: WatermarkState) {
    this.#config = config;
    this.#disorderMs = config.maxDisorderMs ?? 0;
    this.#idleMs = config.idleMs ?? Infinity;
    this.#followMs = config.followClockAfterMs ?? Infinity;
    this.usesClock = [config.idleMs, config.followClockAfterMs, config.maxAheadMs].some((ms) => ms !== undefined);
    this.#spokeAtMs = nowMs;
    for (const [name, newestMs] of saved?.lanes ?? []) this.#open(name, nowMs).newestMs = newestMs ?? -Infinity;
    this.#watermarkMs = saved?.watermarkMs ?? -Infinity;
    this.#greatestMs = saved?.greatestMs ?? -Infinity;
    if (saved !== undefined) this.#lookAround();
  }

  next(value: T, nowMs: number): readonly Watermarked<T>[] {
    const { timeOf, laneOf, maxAheadMs = Infinity, onAside } = this.#config;
    const timeMs = timeOf(value);
    const name = laneOf === undefined ? '' : laneOf(value);
    if (!Number.isFinite(timeMs) || timeMs > nowMs + maxAheadMs) {
      onAside?.({ reason: Number.isFinite(timeMs) ? 'ahead' : 'undated', value, timeMs, lane: name });
      return nothing;
    }
    const lane = this.#last?.name === name && !this.#last.isIdle ? this.#last : this.#laneOf(name, nowMs);
    lane.spokeAtMs = nowMs;
    this.#spokeAtMs = nowMs;
    if (timeMs > lane.newestMs) this.#moveOn(lane, timeMs);
    const element: InTime<T> = {
      kind: 'element',
      value,
      timeMs,
      lane: name,
      laneWatermarkMs: lane.newestMs - this.#disorderMs,
      watermarkMs: this.#watermarkMs,
    };
    return [element];
  }

  signal({ lane: name, is }: LaneSignal, nowMs: number): readonly Watermarked<T>[] {
    const before = this.#watermarkMs;
    if (is === 'ended') {
      this.#forget(name);
      return this.#since(before);
    }
    const lane = this.#lanes.get(name) ?? this.#open(name, nowMs);
    lane.isHeld = is === 'held';
    lane.spokeAtMs = nowMs;
    if (lane.isIdle) this.#wake(lane);
    return nothing;
  }

  dueMs(nowMs: number): number {
    let dueMs = this.#lanes.size === 0 ? Infinity : Math.max(this.#spokeAtMs, this.#followedAtMs) + this.#followMs;
    if (this.#idleMs === Infinity) return dueMs;
    // A lane that wakes up meanwhile may be idle again before the clock is followed.
    if (dueMs !== Infinity) dueMs = Math.min(dueMs, nowMs + this.#idleMs);
    for (const lane of this.#active) if (!lane.isHeld) dueMs = Math.min(dueMs, lane.spokeAtMs + this.#idleMs);
    return dueMs;
  }

  tick(nowMs: number): readonly Watermarked<T>[] {
    const before = this.#watermarkMs;
    for (const lane of this.#active) lane.isIdle = !lane.isHeld && nowMs - lane.spokeAtMs >= this.#idleMs;
    this.#active = this.#active.filter(({ isIdle }) => !isIdle);
    this.#lookAround();
    this.#followClock(nowMs);
    return this.#since(before);
  }

  capture(): WatermarkState {
    return {
      version: 1,
      watermarkMs: msOrNull(this.#watermarkMs),
      greatestMs: msOrNull(this.#greatestMs),
      lanes: [...this.#lanes.values()].map(({ name, newestMs }) => [name, msOrNull(newestMs)]),
    };
  }

  #laneOf(name: string, nowMs: number): Lane {
    const lane = this.#lanes.get(name) ?? this.#open(name, nowMs);
    if (lane.isIdle) this.#wake(lane);
    this.#last = lane;
    return lane;
  }

  #open(name: string, nowMs: number): Lane {
    if (this.#lanes.size >= (this.#config.maxLanes ?? 10_000)) this.#forgetOne();
    const lane = { name, newestMs: -Infinity, spokeAtMs: nowMs, isHeld: false, isIdle: false };
    this.#lanes.set(name, lane);
    this.#wake(lane);
    return lane;
  }

  #wake(lane: Lane): void {
    lane.isIdle = false;
    this.#active.push(lane);
    this.#leastMs = Math.min(this.#leastMs, lane.newestMs);
  }

  #moveOn(lane: Lane, timeMs: number): void {
    const wasLast = lane.newestMs <= this.#leastMs;
    lane.newestMs = timeMs;
    if (timeMs > this.#greatestMs) this.#greatestMs = timeMs;
    if (wasLast) this.#lookAround();
  }

  #forget(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    this.#lanes.delete(name);
    this.#active = this.#active.filter((other) => other !== lane);
    if (this.#last === lane) this.#last = undefined;
    this.#lookAround();
  }

  #forgetOne(): void {
    let oldest: Lane | undefined;
    for (const lane of this.#lanes.values()) if (lane.spokeAtMs < (oldest?.spokeAtMs ?? Infinity)) oldest = lane;
    if (oldest !== undefined) this.#forget(oldest.name);
  }

  /** Looks for the lane that is furthest behind. When none is waited for, the furthest ahead counts. */
  #lookAround(): void {
    let leastMs = this.#active.length === 0 ? this.#greatestMs : Infinity;
    for (const { newestMs } of this.#active) if (newestMs < leastMs) leastMs = newestMs;
    this.#leastMs = leastMs;
    this.#reach(leastMs - this.#disorderMs);
  }

  #followClock(nowMs: number): void {
    const quietMs = nowMs - this.#spokeAtMs;
    if (quietMs < this.#followMs) return;
    this.#followedAtMs = nowMs;
    // A lane that is held may have the next element: its silence is not the stream's.
    if (this.#active.some(({ isHeld }) => isHeld)) return;
    this.#reach(this.#greatestMs - this.#disorderMs + quietMs - this.#followMs);
  }

  /** Never back. */
  #reach(watermarkMs: number): void {
    if (watermarkMs > this.#watermarkMs) this.#watermarkMs = watermarkMs;
  }

  #since(before: number): readonly Watermarked<T>[] {
    return this.#watermarkMs > before ? [{ kind: 'watermark', watermarkMs: this.#watermarkMs }] : nothing;
  }
}
