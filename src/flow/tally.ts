import type { DeadLetter } from '../model/dead-letter.js';
import type { LogEvent, Outcome } from '../model/event.js';

/** Outcomes of the events of one batch in the common stages, or in the stages of one route. */
export class Tally implements Outcome {
  filteredCount = 0;
  expandedCount = 0;
  readonly deadLetters: DeadLetter[] = [];

  filtered(): void {
    this.filteredCount++;
  }

  expanded(extra: number): void {
    this.expandedCount += extra;
  }

  rejected(event: LogEvent, reason: Error): void {
    const { origin, record, index } = event;
    this.deadLetters.push({ origin, record, index, reason });
  }

  /** Takes over what another tally counted: a record that was run alone. */
  add(other: Tally): void {
    this.filteredCount += other.filteredCount;
    this.expandedCount += other.expandedCount;
    this.deadLetters.push(...other.deadLetters);
  }
}
