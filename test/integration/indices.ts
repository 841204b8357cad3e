import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';

/** What tests do with indices, by HTTP. */
export class Indices {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** What is in the indices: each message with how often it is there. */
  async messages(indices: string): Promise<ReadonlyMap<string, number>> {
    const messages = new Map<string, number>();
    await this.post(`${indices}/_refresh`);
    let after: unknown[] | undefined;
    for (;;) {
      const { hits } = (await this.post(`${indices}/_search`, {
        size: 10_000,
        sort: [{ 'event.id': 'asc' }],
        _source: ['message'],
        ...(after === undefined ? {} : { search_after: after }),
      })) as { hits?: { hits: { _source: { message: string }; sort: unknown[] }[] } };
      // There is no such index yet.
      if (hits === undefined) return messages;
      for (const { _source: source } of hits.hits)
        messages.set(source.message, (messages.get(source.message) ?? 0) + 1);
      after = hits.hits.at(-1)?.sort;
      if (after === undefined) return messages;
    }
  }

  /** How many documents the indices have; 0 when there is none. */
  async count(indices: string): Promise<number> {
    await this.post(`${indices}/_refresh`);
    const { count } = (await this.post(`${indices}/_count`)) as { count?: number };
    return count ?? 0;
  }

  /** Waits until so many documents are there; what is expected afterwards says more than this could. */
  async fill(indices: string, count: number, ms = 60_000): Promise<void> {
    const deadline = performance.now() + ms;
    while ((await this.count(indices)) < count && performance.now() < deadline) await wait(200);
  }

  /** The names of the indices. */
  async names(indices: string): Promise<string[]> {
    return Object.keys((await (await fetch(`${this.#url}/${indices}/_settings`)).json()) as object).sort();
  }

  async putTemplate(name: string, body: unknown): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    await fetch(`${this.#url}/_index_template/${name}`, { method: 'PUT', headers, body: JSON.stringify(body) });
  }

  async post(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.json();
  }
}

/** Each message is there once, and there are so many. */
export function expectEachOnce(messages: ReadonlyMap<string, number>, count: number): void {
  expect([...messages].filter(([, times]) => times !== 1)).toEqual([]);
  expect(messages.size).toBe(count);
}
