import type { LogRecord } from '../model/batch.js';
import type { DeadLetter } from '../model/dead-letter.js';
import type { LogEvent, Origin, Outcome } from '../model/event.js';

/** Outcomes of the events of one batch in the common stages, or in the stages of one route. */
export class Tally implements Outcome {
  filteredCount = 0;
  expandedCount = 0;
  readonly deadLetters: DeadLetter[] = [];
  readonly #origin: () => Origin;
  readonly #recordAt: (offset: number) => LogRecord;

  constructor(origin: () => Origin, recordAt: (offset: number) => LogRecord) {
    this.#origin = origin;
    this.#recordAt = recordAt;
  }

  filtered(): void {
    this.filteredCount++;
  }

  expanded(extra: number): void {
    this.expandedCount += extra;
  }

  rejected(event: LogEvent, reason: Error): void {
    this.deadLetters.push({
      origin: this.#origin(),
      record: this.#recordAt(event.offset),
      index: event.index,
      reason,
    });
  }

  /** Takes over what another tally counted: a record that was run alone. */
  add(other: Tally): void {
    this.filteredCount += other.filteredCount;
    this.expandedCount += other.expandedCount;
    this.deadLetters.push(...other.deadLetters);
  }
}
