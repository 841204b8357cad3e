/** The records from `position` on came in at `timeMs` (since 1970) or up to a minute later, until the next mark. */
export interface Arrival {
  readonly position: number;
  readonly timeMs: number;
}

/** When the record at an offset came in, by marks in the order of their positions; undefined before the first. */
export function arrivalAt(marks: readonly Arrival[], offset: number): number | undefined {
  return marks.findLast(({ position }) => position <= offset)?.timeMs;
}
