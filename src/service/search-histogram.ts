/** Stretches of time that people count in. */
const WIDTHS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
];
const MAX_WIDTH_MS = 604_800_000;
const MAX_BUCKETS = 60;

/** The time axis of a histogram. */
export interface TimeAxis {
  /** Milliseconds since 1970, a multiple of the width. */
  readonly startMs: number;
  readonly widthMs: number;
  readonly buckets: number;
}

/** The axis with the narrowest round stretches of which at most 60 take in both times, the last one included. */
export function timeAxis(firstMs: number, lastMs: number): TimeAxis {
  let widest = MAX_WIDTH_MS;
  while (bucketsOf(firstMs, lastMs, widest) > MAX_BUCKETS) widest *= 2;
  const widthMs = WIDTHS_MS.find((width) => bucketsOf(firstMs, lastMs, width) <= MAX_BUCKETS) ?? widest;
  return {
    startMs: Math.floor(firstMs / widthMs) * widthMs,
    widthMs,
    buckets: bucketsOf(firstMs, lastMs, widthMs),
  };
}

function bucketsOf(firstMs: number, lastMs: number, widthMs: number): number {
  return Math.floor(lastMs / widthMs) - Math.floor(firstMs / widthMs) + 1;
}

const HEIGHT = 4;
const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const DIM = '\u001b[2m';
const RESET = '\u001b[0m';

/**
 * A histogram as five lines: bars of at most four, the highest of which is told, and the times at both ends. Whatever
 * was counted is seen, be it ever so few.
 */
export function histogramLines(counts: readonly number[], axis: TimeAxis, colours: boolean): readonly string[] {
  const dim = (text: string): string => (colours ? `${DIM}${text}${RESET}` : text);
  const most = Math.max(1, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const heights = counts.map((count) => (count === 0 ? 0 : Math.max(1, Math.round((count / most) * HEIGHT * 8))));
  const bars = Array.from({ length: HEIGHT }, (_, line) => {
    const below = (HEIGHT - 1 - line) * 8;
    return heights.map((height) => EIGHTHS[Math.min(8, Math.max(0, height - below))] ?? ' ').join('');
  });
  const notes = [dim(` ${most} in ${widthText(axis.widthMs)} at most`), '', '', dim(` ${total} in all`)];
  const ends = [axis.startMs, axis.startMs + axis.widthMs * axis.buckets].map((ms) => timeText(ms, axis.widthMs));
  return [
    ...bars.map((bar, line) => (bar + (notes[line] ?? '')).trimEnd()),
    dim(`${ends[0] ?? ''}${' '.repeat(Math.max(3, counts.length - ends.join('').length))}${ends[1] ?? ''}`),
  ];
}

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
  [1, 'ms'],
];

function widthText(widthMs: number): string {
  const [ms, name] = UNITS.find(([unit]) => widthMs % unit === 0) ?? [1, 'ms'];
  return `${widthMs / ms} ${name}`;
}

function timeText(ms: number, widthMs: number): string {
  const text = new Date(ms).toISOString();
  if (widthMs >= 86_400_000) return text.slice(0, 10);
  const end = widthMs >= 60_000 ? 16 : widthMs >= 1000 ? 19 : 23;
  return `${text.slice(0, end)}Z`;
}
