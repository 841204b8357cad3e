/** An element with its time, and how far time had come when it arrived. */
export interface InTime<T> {
  readonly kind: 'element';
  readonly value: T;
  /** When it happened, in ms since 1970. */
  readonly timeMs: number;
  readonly lane: string;
  /** How far its own lane has come: nothing older is expected of this lane. What is older is late. */
  readonly laneWatermarkMs: number;
  /** How far all lanes have come. */
  readonly watermarkMs: number;
}

/** All lanes have come this far, without an element that would say so. */
export interface WatermarkOnly {
  readonly kind: 'watermark';
  readonly watermarkMs: number;
}

/** What the windows read: elements in time, and how far time has come. */
export type Watermarked<T> = InTime<T> | WatermarkOnly;

/**
 * Why an element is in no result. `late`: its pane was over for its own lane. `closed`: its lane came back from being
 * idle, and the pane is gone. `full`: no room for another key or pane. `undated`: it has no time. `ahead`: its time is
 * too far in the future.
 */
export type AsideReason = 'late' | 'closed' | 'full' | 'undated' | 'ahead';

/** An element that was put aside. */
export interface Aside<T> {
  readonly reason: AsideReason;
  readonly value: T;
  readonly timeMs: number;
  readonly lane: string;
}
