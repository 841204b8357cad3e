import type { Aside, InTime } from '../../src/operators/watermarked.js';

/** An element that brings its watermark: by default its own time, in one lane. */
export function inTime<T>(value: T, timeMs: number, more: Partial<InTime<T>> = {}): InTime<T> {
  return { kind: 'element', value, timeMs, lane: '', laneWatermarkMs: timeMs, watermarkMs: timeMs, ...more };
}

/** What was put aside, as text. */
export class Asides {
  readonly seen: string[] = [];

  readonly take = ({ reason, value, lane }: Aside<unknown>): void => {
    this.seen.push(`${reason} ${lane}${String(value)}`);
  };
}
