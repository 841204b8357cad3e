import type { IncomingMessage } from '../../model/kafka.js';

/** Kafka counts messages; what they weigh is known of those that came. */
export class MeanWeight {
  #bytes = 0;
  #count = 0;

  add(messages: readonly IncomingMessage[]): void {
    for (const { value } of messages) this.#bytes += value?.length ?? 0;
    this.#count += messages.length;
  }

  /** Of so many messages, in bytes. */
  of(count: number): number {
    return Math.round(count * (this.#count === 0 ? 0 : this.#bytes / this.#count));
  }
}
