import type { Batch } from '../../model/batch.js';
import type { Demand } from '../../model/source.js';
import { wait } from '../../operators/steps.js';
import type { Routine } from '../../operators/steps.js';
import type { Framing } from '../framing.js';
import { countOf, MAX_LINES, noLines, RECORD_BYTES } from '../lines.js';
import type { Lines } from '../lines.js';
import type { Incarnation, Progress } from './incarnation.js';

/**
 * What was read of an incarnation becomes batches here, and its position moves. What is held of a line or an event, and
 * each batch until it is settled, is reserved with demand.
 */
export class LaneOutput {
  readonly #incarnation: Incarnation;
  readonly #demand: Demand;
  readonly #emit: (batch: Batch) => void;

  constructor(incarnation: Incarnation, demand: Demand, emit: (batch: Batch) => void) {
    this.#incarnation = incarnation;
    this.#demand = demand;
    this.#emit = emit;
  }

  /** What is held is given back meanwhile: it may be all that the lane may have, and would never be settled. */
  *reserve(held: number, bytes: number): Routine {
    const { id } = this.#incarnation;
    if (held > 0) this.#demand.adjust(id, -held);
    yield* wait(this.#demand.reserve(id, bytes + held));
  }

  /** Emits the lines of a block in batches. `reserved`: what was reserved for the first. Returns their number. */
  *emitLines(block: Buffer, progress: Progress, reserved: number): Routine<number> {
    const { id } = this.#incarnation;
    let rest = reserved;
    let batches = 0;
    for (let from = 0; from < block.length;) {
      const held = progress.splitter.heldBytes;
      const lines = noLines();
      const used = progress.splitter.push(block.subarray(from), lines, MAX_LINES);
      progress.keeper.add(block.subarray(from, from + used));
      from += used;
      const heldMore = progress.splitter.heldBytes - held;
      // What is left out of a line that is too long takes no room, and no batch would ever give it back.
      const count = countOf(lines);
      const bytes = count === 0 ? 0 : used - heldMore + lines.records.length * RECORD_BYTES;
      const taken = bytes + heldMore;
      if (rest > 0) this.#demand.adjust(id, taken - rest);
      else yield* this.reserve(held, taken);
      rest = 0;
      if (count > 0) {
        this.#emitBatch(lines, bytes, progress);
        batches++;
      }
    }
    if (rest > 0) this.#demand.adjust(id, -rest);
    return batches;
  }

  /** The file has ended: what is held is all there will be. */
  flush(progress: Progress): void {
    this.#emitHeld(progress, (splitter, lines) => splitter.flush(lines));
  }

  /** The event that more lines were waited for is complete; a line may not be. */
  flushJoined(progress: Progress): void {
    this.#emitHeld(progress, (splitter, lines) => splitter.flushJoined?.(lines));
  }

  /** Nothing new was read, but the next life has to know where it ended, and that an archive need not be unpacked again. */
  noteDone(): void {
    const { location, position, state } = this.#incarnation;
    this.#incarnation.notedLocation = location;
    this.#incarnation.isDirty = false;
    this.#emit({ records: [], position, bytes: 0, state });
  }

  /** What comes out of what is held was reserved when it was read. */
  #emitHeld(progress: Progress, flush: (splitter: Framing, lines: Lines) => void): void {
    const held = progress.splitter.heldBytes;
    const lines = noLines();
    flush(progress.splitter, lines);
    if (countOf(lines) === 0) return;
    const recordBytes = lines.records.length * RECORD_BYTES;
    this.#demand.adjust(this.#incarnation.id, recordBytes);
    this.#emitBatch(lines, held - progress.splitter.heldBytes + recordBytes, progress);
  }

  #emitBatch(lines: Lines, bytes: number, { splitter, keeper }: Progress): void {
    const incarnation = this.#incarnation;
    incarnation.position = splitter.position;
    incarnation.evidence = keeper.evidence;
    incarnation.notedLocation = incarnation.location;
    this.#emit({ ...lines, position: splitter.position, bytes, state: incarnation.state });
  }
}
