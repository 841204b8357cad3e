import { MillraceError } from '../model/errors.js';
import { nothing } from './machine.js';
import type { Machine } from './machine.js';
import { PaneGrid } from './pane-grid.js';
import type { Reducer } from './reducers.js';
import type { Aside, AsideReason, InTime, Watermarked } from './watermarked.js';

/** What a window's key may be: what JSON brings back as it was. */
export type Key = string | number | boolean;

/** The value of one key in one window. */
export interface WindowResult<K, R> {
  readonly key: K;
  /** The window's first instant, in ms since 1970. */
  readonly startMs: number;
  /** The first instant after it. */
  readonly endMs: number;
  readonly value: R;
  /** 0 when it first comes out; one more each time a late element that was still allowed changes it. */
  readonly revision: number;
}

/** Windows made of panes: a pane is the longest stretch of time that no window's edge cuts. */
export interface PanesConfig<T, A, R, K extends Key> {
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly reducer: Reducer<T, A, R>;
  readonly keyOf?: ((element: T) => K) | undefined;
  readonly offsetMs?: number | undefined;
  readonly allowedLatenessMs?: number | undefined;
  readonly maxKeys?: number | undefined;
  readonly maxPanes?: number | undefined;
  readonly onAside?: ((aside: Aside<T>) => void) | undefined;
}

type Entries<K, V> = readonly (readonly [K, V])[];

/** The open panes as they can be saved. */
export interface PanesState<A, K> {
  readonly version: 1;
  readonly settings: readonly [sizeMs: number, slideMs: number, offsetMs: number];
  readonly watermarkMs: number | null;
  /** By pane, lane and key: what was collected. */
  readonly panes: Entries<number, Entries<string, Entries<K, A>>>;
  /** By window and key: the revision that came out last. */
  readonly revisions: Entries<number, Entries<K, number>>;
}

/** In its own object, so that an element costs one look-up. */
interface Cell<A> {
  accumulator: A;
}

type Cells<A, K> = Map<K, Cell<A>>;
/** By lane. */
type Pane<A, K> = Map<string, Cells<A, K>>;

/** Without keys everything has this one. */
export const onlyKey = (): string => '';

/**
 * Keyed windows from panes. Every lane has its own part of a pane, and it is its own watermark that ends it: what a
 * window holds does not depend on how lanes interleave. Parts are merged when all lanes have passed the window's end.
 * Source: Li et al., No Pane, No Gain: Efficient Evaluation of Sliding-Window Aggregates over Data Streams, 2005.
 */
export class PanesMachine<T, A, R, K extends Key> implements Machine<Watermarked<T>, WindowResult<K, R>> {
  readonly #reducer: Reducer<T, A, R>;
  readonly #keyOf: (element: T) => K;
  readonly #onAside: ((aside: Aside<T>) => void) | undefined;
  readonly #settings: PanesState<A, K>['settings'];
  readonly #grid: PaneGrid;
  readonly #latenessMs: number;
  readonly #maxKeys: number;
  readonly #maxPanes: number;
  readonly #panes = new Map<number, Pane<A, K>>();
  readonly #revisions = new Map<number, Map<K, number>>();
  #watermarkMs = -Infinity;
  /** Where the watermark changes something: a window ends, or panes can go. */
  #dueMs = Infinity;
  /** Where the last element went. */
  #lastIndex = NaN;
  #lastLane = '';
  #last: Cells<A, K> = new Map();

  constructor(config: PanesConfig<T, A, R, K>, saved?: PanesState<A, K>) {
    const { sizeMs, slideMs, offsetMs = 0, maxPanes = 1000 } = config;
    this.#grid = new PaneGrid({ sizeMs, slideMs, offsetMs, maxPanes });
    this.#reducer = config.reducer;
    this.#keyOf = config.keyOf ?? (onlyKey as () => K);
    this.#onAside = config.onAside;
    this.#latenessMs = config.allowedLatenessMs ?? 0;
    this.#maxKeys = config.maxKeys ?? 100_000;
    this.#maxPanes = maxPanes;
    this.#settings = [sizeMs, slideMs, offsetMs];
    if (saved !== undefined) this.#restore(saved);
  }

  next(item: Watermarked<T>): readonly WindowResult<K, R>[] {
    const updates = item.kind === 'element' ? this.#add(item) : nothing;
    if (item.watermarkMs <= this.#watermarkMs) return updates;
    const closed = this.#advance(item.watermarkMs);
    return updates.length === 0 ? closed : [...updates, ...closed];
  }

  complete(): readonly WindowResult<K, R>[] {
    return this.#advance(Infinity);
  }

  capture(): PanesState<A, K> {
    const cells = (lane: Cells<A, K>): Entries<K, A> => [...lane].map(([key, cell]) => [key, cell.accumulator]);
    const lanes = (pane: Pane<A, K>): Entries<string, Entries<K, A>> =>
      [...pane].map(([name, lane]) => [name, cells(lane)]);
    return {
      version: 1,
      settings: this.#settings,
      watermarkMs: Number.isFinite(this.#watermarkMs) ? this.#watermarkMs : null,
      panes: [...this.#panes].map(([index, pane]) => [index, lanes(pane)]),
      revisions: [...this.#revisions].map(([window, keys]) => [window, [...keys]]),
    };
  }

  #restore({ settings, watermarkMs, panes, revisions }: PanesState<A, K>): void {
    if (settings.some((setting, at) => setting !== this.#settings[at])) {
      throw new MillraceError('MILLRACE_E_STATE_UNFIT', `${settings.join(', ')} is not ${this.#settings.join(', ')}`);
    }
    this.#watermarkMs = watermarkMs ?? -Infinity;
    for (const [index, lanes] of panes) {
      const pane: Pane<A, K> = new Map();
      for (const [name, cells] of lanes)
        pane.set(name, new Map(cells.map(([key, accumulator]) => [key, { accumulator }])));
      this.#panes.set(index, pane);
    }
    for (const [window, keys] of revisions) this.#revisions.set(window, new Map(keys));
    this.#dueMs = this.#nextDue();
  }

  #add(element: InTime<T>): readonly WindowResult<K, R>[] {
    const { value, timeMs, lane, laneWatermarkMs } = element;
    const index = this.#grid.paneOf(timeMs);
    const openUntilMs = this.#grid.edgeMs(index + 1) + this.#latenessMs;
    if (openUntilMs <= laneWatermarkMs) return this.#putAside('late', element);
    if (openUntilMs <= this.#watermarkMs) return this.#putAside('closed', element);
    const key = this.#keyOf(value);
    const cells = index === this.#lastIndex && lane === this.#lastLane ? this.#last : this.#open(index, lane);
    if (cells === undefined) return this.#putAside('full', element);
    const cell = cells.get(key);
    if (cell !== undefined) cell.accumulator = this.#reducer.add(cell.accumulator, value);
    else if (cells.size >= this.#maxKeys) return this.#putAside('full', element);
    else cells.set(key, { accumulator: this.#reducer.add(this.#reducer.create(), value) });
    return this.#grid.endMs(this.#grid.firstWindow(index)) <= this.#watermarkMs ? this.#update(index, key) : nothing;
  }

  #putAside(reason: AsideReason, { value, timeMs, lane }: InTime<T>): readonly never[] {
    this.#onAside?.({ reason, value, timeMs, lane });
    return nothing;
  }

  /** The cells of a lane in a pane; undefined when there is no room for another pane. */
  #open(index: number, lane: string): Cells<A, K> | undefined {
    let pane = this.#panes.get(index);
    if (pane === undefined) {
      if (this.#panes.size >= this.#maxPanes) return undefined;
      pane = new Map();
      this.#panes.set(index, pane);
      this.#dueMs = Math.min(this.#dueMs, this.#dueOf(index));
    }
    let cells = pane.get(lane);
    if (cells === undefined) pane.set(lane, (cells = new Map<K, Cell<A>>()));
    this.#lastIndex = index;
    this.#lastLane = lane;
    this.#last = cells;
    return cells;
  }

  #advance(watermarkMs: number): readonly WindowResult<K, R>[] {
    let window = this.#grid.firstOpen(this.#watermarkMs);
    this.#watermarkMs = watermarkMs;
    if (watermarkMs < this.#dueMs) return nothing;
    const results: WindowResult<K, R>[] = [];
    for (const index of [...this.#panes.keys()].sort((one, other) => one - other)) {
      window = Math.max(window, this.#grid.firstWindow(index));
      for (
        ;
        window <= this.#grid.lastWindow(index) && this.#grid.endMs(window) <= watermarkMs;
        window += this.#grid.slide
      ) {
        this.#close(window, results);
      }
    }
    this.#clear();
    return results;
  }

  /** Lanes by name, keys as they came in their lane: the order does not depend on how lanes interleave. */
  #close(window: number, results: WindowResult<K, R>[]): void {
    const revisions = this.#latenessMs > 0 ? new Map<K, number>() : undefined;
    if (revisions !== undefined) this.#revisions.set(window, revisions);
    for (const [key, { accumulator }] of this.#merged(this.#partsOf(window))) {
      revisions?.set(key, 0);
      results.push(this.#result(window, key, accumulator, 0));
    }
  }

  #merged(parts: readonly Cells<A, K>[]): Cells<A, K> {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    const merged: Cells<A, K> = new Map();
    for (const part of parts) {
      for (const [key, { accumulator }] of part) {
        const cell = merged.get(key);
        if (cell === undefined) merged.set(key, { accumulator });
        else cell.accumulator = this.#reducer.merge(cell.accumulator, accumulator);
      }
    }
    return merged;
  }

  #partsOf(window: number): Cells<A, K>[] {
    const parts: (readonly [lane: string, cells: Cells<A, K>])[] = [];
    for (let index = window; index < window + this.#grid.size; index++)
      parts.push(...(this.#panes.get(index)?.entries() ?? []));
    // Stable, so that the panes of a lane stay in order.
    parts.sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
    return parts.map(([, cells]) => cells);
  }

  /** A late element has changed windows that came out already. */
  #update(index: number, key: K): readonly WindowResult<K, R>[] {
    const results: WindowResult<K, R>[] = [];
    const last = this.#grid.lastWindow(index);
    for (let window = this.#grid.firstWindow(index); window <= last; window += this.#grid.slide) {
      if (this.#grid.endMs(window) > this.#watermarkMs) break;
      let accumulator: A | undefined;
      for (const part of this.#partsOf(window)) {
        const cell = part.get(key);
        if (cell === undefined) continue;
        accumulator = accumulator === undefined ? cell.accumulator : this.#reducer.merge(accumulator, cell.accumulator);
      }
      let revisions = this.#revisions.get(window);
      if (revisions === undefined) this.#revisions.set(window, (revisions = new Map<K, number>()));
      const revision = (revisions.get(key) ?? -1) + 1;
      revisions.set(key, revision);
      results.push(this.#result(window, key, accumulator as A, revision));
    }
    return results;
  }

  #result(window: number, key: K, accumulator: A, revision: number): WindowResult<K, R> {
    const value = this.#reducer.result(accumulator);
    return { key, startMs: this.#grid.edgeMs(window), endMs: this.#grid.endMs(window), value, revision };
  }

  /** Drops what no element may change any more. */
  #clear(): void {
    for (const index of this.#panes.keys()) {
      if (this.#grid.endMs(this.#grid.lastWindow(index)) + this.#latenessMs <= this.#watermarkMs)
        this.#panes.delete(index);
    }
    for (const window of this.#revisions.keys()) {
      if (this.#grid.endMs(window) + this.#latenessMs <= this.#watermarkMs) this.#revisions.delete(window);
    }
    this.#lastIndex = NaN;
    this.#dueMs = this.#nextDue();
  }

  #nextDue(): number {
    let dueMs = Infinity;
    for (const index of this.#panes.keys()) dueMs = Math.min(dueMs, this.#dueOf(index));
    return dueMs;
  }

  /** When the first window that this pane is part of ends; when all have, when the pane can go. */
  #dueOf(index: number): number {
    const next = Math.max(this.#grid.firstWindow(index), this.#grid.firstOpen(this.#watermarkMs));
    const last = this.#grid.lastWindow(index);
    return next <= last ? this.#grid.endMs(next) : this.#grid.endMs(last) + this.#latenessMs;
  }
}
