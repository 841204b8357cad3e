import { setTimeout as wait } from 'node:timers/promises';
import type { Topics } from './kafka-topics.js';

/** Looks again and again at what the group has committed, and keeps every step back. */
export class OffsetWatch {
  readonly stepsBack: string[] = [];
  readonly #ended = new AbortController();
  readonly #watching: Promise<void>;
  last: number[] = [];
  looks = 0;

  constructor(topics: Topics, group: string, topic: string) {
    this.#watching = (async () => {
      while (!this.#ended.signal.aborted) {
        // The broker may be down.
        const now = await topics.committed(group, topic).catch(() => this.last);
        this.looks++;
        now.forEach((offset, partition) => {
          const before = this.last[partition] ?? -1;
          if (offset < before) this.stepsBack.push(`partition ${partition}: ${before} → ${offset}`);
        });
        this.last = now;
        await wait(100);
      }
    })();
  }

  get sum(): number {
    return this.last.reduce((total, offset) => total + Math.max(0, offset), 0);
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }
}
