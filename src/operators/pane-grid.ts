import { MillraceError } from '../model/errors.js';

/** How long the windows are, where they begin, and how many panes there may be. */
export interface Spans {
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
  readonly maxPanes: number;
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}

function isSpan(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms > 0;
}

/** Where panes and windows lie in time. Panes are counted through; a window is known by its first pane. */
export class PaneGrid {
  /** Of a window, in panes. */
  readonly size: number;
  /** From one window's start to the next one's, in panes. */
  readonly slide: number;
  readonly #paneMs: number;
  readonly #offsetMs: number;

  constructor({ sizeMs, slideMs, offsetMs, maxPanes }: Spans) {
    const isWindow = isSpan(sizeMs) && isSpan(slideMs) && slideMs <= sizeMs;
    this.#paneMs = isWindow ? greatestCommonDivisor(sizeMs, slideMs) : NaN;
    this.#offsetMs = offsetMs;
    this.size = sizeMs / this.#paneMs;
    this.slide = slideMs / this.#paneMs;
    if (this.size <= maxPanes) return;
    const detail = `a window of ${sizeMs} ms each ${slideMs} ms has no panes, or more than ${maxPanes}`;
    throw new MillraceError('MILLRACE_E_CONFIG_INVALID', detail);
  }

  paneOf(timeMs: number): number {
    return Math.floor((timeMs - this.#offsetMs) / this.#paneMs);
  }

  /** Where a pane begins. */
  edgeMs(pane: number): number {
    return pane * this.#paneMs + this.#offsetMs;
  }

  /** Where a window ends. */
  endMs(window: number): number {
    return this.edgeMs(window + this.size);
  }

  /** The first window that a pane is part of. */
  firstWindow(pane: number): number {
    return Math.ceil((pane - this.size + 1) / this.slide) * this.slide;
  }

  /** The last window that a pane is part of. */
  lastWindow(pane: number): number {
    return Math.floor(pane / this.slide) * this.slide;
  }

  /** The first window that ends after that time. */
  firstOpen(timeMs: number): number {
    const passed = (timeMs - this.#offsetMs) / this.#paneMs - this.size;
    return (Math.floor(passed / this.slide) + 1) * this.slide;
  }
}
