import { existsSync, mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { peakMegabytes, until, within } from './harness.js';
import type { Place, Running } from './harness.js';
import type { Read, Topics } from './kafka-topics.js';
import { OffsetWatch } from './offset-watch.js';

const PARTITIONS = 4;
const LINES_EVERY_10_MS = 20;
/** The budget is 64 MiB; the young generation, Node itself and the client take the rest. */
const MAX_MEGABYTES: Readonly<Record<string, number>> = { kafkajs: 350, platformatic: 450 };

export type Part = 'collector' | 'processor';

/** What the chain is built on. */
export interface ChainSetting {
  readonly place: Place;
  /** For looking: not by the way that is disturbed. */
  readonly topics: Topics;
  /** What collector and processor use. */
  readonly brokers: readonly string[];
  readonly client: string;
  /** More options of the processor's source. */
  readonly source?: string;
}

/**
 * File → collector → topic → processor → topic, under load: a writer appends numbered lines for as long as faults are
 * injected. At the end everything is counted.
 */
export class Chain {
  readonly from: string;
  readonly to: string;
  readonly watch: OffsetWatch;
  readonly history: string[] = [];
  readonly #setting: ChainSetting;
  readonly #running = new Map<Part, Running>();
  readonly #enough = new AbortController();
  readonly #writing: Promise<void>;
  /** Lines that were written. */
  count = 0;
  megabytes = 0;

  private constructor(setting: ChainSetting, from: string, to: string) {
    this.#setting = setting;
    this.from = from;
    this.to = to;
    this.watch = new OffsetWatch(setting.topics, `g-${from}`, from);
    this.#configure();
    this.start('collector');
    this.start('processor');
    this.#writing = this.#write();
    onTestFinished(() => {
      this.#enough.abort();
      return this.watch.end();
    });
  }

  static async start(setting: ChainSetting): Promise<Chain> {
    const { topics } = setting;
    const chain = new Chain(setting, await topics.create(PARTITIONS), await topics.create(PARTITIONS));
    await chain.progress();
    return chain;
  }

  #configure(): void {
    const { place, brokers, client, source = '' } = this.#setting;
    const all = `client: ${client}, requestTimeoutMs: 5000, brokers: ${JSON.stringify(brokers)}`;
    mkdirSync(place.path('logs'));
    place.write(
      'collector.yaml',
      `name: collector
source: { tail: { paths: ["logs/*.log"], from: beginning } }
checkpoint: { path: data/collector.checkpoint, everyMs: 50 }
routes:
  - to: { kafka: { ${all}, topic: ${this.from}, format: raw } }
`,
    );
    place.write(
      'processor.yaml',
      `name: processor
source:
  kafka: { ${all}, groupId: g-${this.from}, topics: [${this.from}], sessionTimeoutMs: 3000${source} }
checkpoint: { path: data/processor.checkpoint, everyMs: 50 }
routes:
  - to: { kafka: { ${all}, topic: ${this.to}, format: raw } }
`,
    );
  }

  async #write(): Promise<void> {
    const folder = this.#setting.place.path('logs');
    while (!this.#enough.signal.aborted && existsSync(folder)) {
      let text = '';
      for (let n = 0; n < LINES_EVERY_10_MS; n++) text += `line ${this.count++}\n`;
      this.#setting.place.append(this.#setting.place.path('logs', 'a.log'), text);
      await wait(10);
    }
  }

  start(part: Part): void {
    this.#running.set(part, this.#setting.place.start(['run', `${part}.yaml`]));
  }

  /** kill -9. */
  async kill(part: Part): Promise<void> {
    const running = this.#running.get(part);
    if (running === undefined) return;
    this.#weigh(running);
    running.kill('SIGKILL');
    this.history.push((await running.ended).stderr);
    this.#running.delete(part);
  }

  #weigh({ pid }: Running): void {
    this.megabytes = Math.max(this.megabytes, peakMegabytes(pid));
  }

  get logs(): string {
    return [...this.history, ...[...this.#running.values()].map((running) => running.stderr())].join('\n---\n');
  }

  /** Waits until more was committed than now. */
  async progress(ms = 60_000): Promise<void> {
    const before = this.watch.sum;
    await until(
      () => `more than ${before} committed\n${this.logs}`,
      () => this.watch.sum > before,
      ms,
    );
  }

  /** While no processor runs: what it has committed is in its output. */
  async expectSettled(): Promise<void> {
    const { topics } = this.#setting;
    const committed = await topics.committed(`g-${this.from}`, this.from);
    const arrived = new Set((await topics.readAll(this.to)).map(({ value }) => value));
    const missing = (await topics.readAll(this.from)).filter(
      ({ partition, offset, value }) => offset < (committed[partition] ?? 0) && !arrived.has(value),
    );
    expect(missing, `committed but not delivered\n${this.logs}`).toEqual([]);
  }

  /** Ends the load, waits until all of it has arrived, stops both and counts. */
  async end(what: string): Promise<void> {
    const { topics } = this.#setting;
    this.#enough.abort();
    await this.#writing;
    await until(
      () => `${this.count} lines in the first topic\n${this.logs}`,
      () => this.watch.sum >= this.count,
      60_000,
    );
    await this.#untilCommitted();
    const codes: (number | null)[] = [];
    for (const running of this.#running.values()) {
      this.#weigh(running);
      running.kill('SIGTERM');
      codes.push((await within(20_000, 'the end', running.ended)).code);
    }
    await this.watch.end();
    const [first, last] = [await topics.readAll(this.from), await topics.readAll(this.to)];
    const megabytes = Math.round(this.megabytes);
    console.log(
      `${what}: ${this.count} lines, ${first.length - this.count} came twice into the first topic and ` +
        `${last.length - this.count} into the last; ${this.watch.looks} looks at the offsets, at most ${megabytes} MB`,
    );
    expect(codes, this.logs).toEqual([0, 0]);
    expectEachLine(first, this.count);
    expectEachLine(last, this.count);
    expect(this.watch.stepsBack).toEqual([]);
    expect(this.megabytes).toBeLessThan(MAX_MEGABYTES[this.#setting.client] ?? 0);
  }

  /** Everything that the first topic has, repetitions too. */
  async #untilCommitted(): Promise<void> {
    const { topics } = this.#setting;
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline) {
      if ((await topics.size(this.from)) === this.watch.sum) return;
      await wait(200);
    }
    throw new Error(`${this.watch.sum} of ${await topics.size(this.from)} committed\n${this.logs}`);
  }
}

/** Every line is there; one that is there twice has the same id, and no two lines have the same. */
export function expectEachLine(read: readonly Read[], count: number): void {
  const values = new Set(read.map(({ value }) => value));
  const missing = Array.from({ length: count }, (_, n) => `line ${n}`).filter((line) => !values.has(line));
  expect(missing.slice(0, 20)).toEqual([]);
  expect(values.size).toBe(count);
  expect(new Set(read.map(({ value, headers }) => `${value} ${headers['millrace-id']!}`)).size).toBe(count);
  expect(new Set(read.map(({ headers }) => headers['millrace-id'])).size).toBe(count);
}
