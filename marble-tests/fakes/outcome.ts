import { expect } from 'vitest';
import { isExact } from '../../src/flow/ledger.js';
import type { FakeDisk } from '../../src/testing/fake-disk.js';
import { everyLine } from './every-line.js';
import type { FakeBroker } from './fake-broker.js';
import type { FakeStore } from './fake-database.js';
import type { Generation, LogWorld } from './log-world.js';
import { bucketOf, CHECKPOINT, DEAD, OUT, TOPIC } from './pipeline-life.js';
import type { PipelineLife } from './pipeline-life.js';

interface Written {
  readonly [key: string]: unknown;
}

/** Where it went beside the file, and what was done to it on the way. */
interface OutcomeOptions {
  readonly isJoined?: boolean;
  readonly mostOfKey?: number;
  readonly store: FakeStore | undefined;
  readonly broker: FakeBroker | undefined;
}

function jsonLines(text: string): Written[] {
  const lines = text.split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Written);
}

/** What came out, beside what has to: the world knows what was written. */
export class Outcome {
  readonly #disk: FakeDisk;
  readonly #world: LogWorld;
  readonly #isJoined: boolean;
  readonly #mostOfKey: number | undefined;
  readonly #store: FakeStore | undefined;
  readonly #broker: FakeBroker | undefined;

  constructor(disk: FakeDisk, world: LogWorld, { isJoined = false, mostOfKey, store, broker }: OutcomeOptions) {
    this.#disk = disk;
    this.#world = world;
    this.#isJoined = isJoined;
    this.#mostOfKey = mostOfKey;
    this.#store = store;
    this.#broker = broker;
  }

  #expected(generation: Generation): { kept: string[]; dead: string[] } {
    const all = this.#isJoined ? this.#world.eventsOf(generation) : this.#world.linesOf(generation);
    const lines = all.filter(({ text }) => text.trim() !== '');
    const isParsed = (text: string): boolean => text.split('|').length > 2;
    return {
      kept: lines
        .filter(({ text }) => isParsed(text) && text.startsWith('ERROR|'))
        .map(({ offset, text }) => `${offset} ${text.split('|')[1]!} ${text.split('|').slice(2).join('|')}`),
      dead: lines.filter(({ text }) => !isParsed(text)).map(({ offset, text }) => `${offset} ${text}`),
    };
  }

  /** Whether at least as much came out as has to. */
  isComplete(): boolean {
    const expected = this.#world.generations.map((generation) => this.#expected(generation));
    const dead = expected.flatMap((lists) => lists.dead).length;
    const kept = this.#limited(expected.flatMap((lists) => lists.kept));
    const lines = (path: string): number => everyLine(this.#disk, path).split('\n').length - 1;
    const most = [...kept.values()].reduce((sum, count) => sum + count, 0);
    if ((this.#store?.rows.length ?? Infinity) < most) return false;
    if ((this.#broker?.committed(TOPIC).length ?? Infinity) < most) return false;
    return lines(OUT) >= most && lines(DEAD) >= dead;
  }

  /** How many of each key come out: which ones depends on how lanes interleave. */
  #limited(kept: readonly string[]): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const line of kept) {
      const key = bucketOf(line.split(' ')[1]!);
      counts.set(key, Math.min((counts.get(key) ?? 0) + 1, this.#mostOfKey ?? Infinity));
    }
    return counts;
  }

  /** Of each key exactly as many as may pass: neither lost nor let through once more by a replay; lanes in order. */
  #checkLimited(got: readonly string[][], expected: readonly string[][]): void {
    for (const lane of got) {
      const from = expected.find((lines) => lane.every((line) => lines.includes(line))) ?? [];
      expect(lane).toEqual(from.filter((line) => lane.includes(line)));
    }
    const passed = new Map<string, number>();
    for (const line of got.flat()) {
      const key = bucketOf(line.split(' ')[1]!);
      passed.set(key, (passed.get(key) ?? 0) + 1);
    }
    expect(new Map([...passed].sort())).toEqual(new Map([...this.#limited(expected.flat())].sort()));
  }

  /** Each line once, whole, in order, in all places alike; and every ledger exact. */
  check(lives: readonly PipelineLife[]): void {
    const kept = new ByLane();
    for (const event of jsonLines(everyLine(this.#disk, OUT))) kept.put(event, 'number', 'message');
    const expected = this.#world.generations.map((generation) => this.#expected(generation));
    const lines = expected.map((lists) => lists.kept);
    if (this.#mostOfKey === undefined) expect(kept.sorted).toEqual(sorted(lines));
    else this.#checkLimited(kept.lists, lines);
    this.#checkElsewhere(kept.sorted);
    const dead = new ByLane();
    for (const letter of jsonLines(everyLine(this.#disk, DEAD))) {
      dead.put(letter, 'event.original');
      expect(letter['event.id']).toBe(`${String(letter['event.id']).split(':')[0]!}:${String(letter['log.offset'])}`);
    }
    expect(dead.sorted).toEqual(sorted(expected.map((lists) => lists.dead)));
    this.#checkLedgers(lives);
    if (this.#broker === undefined) JSON.parse(this.#disk.durableText(CHECKPOINT));
  }

  /** The store and the topic have what the file has. */
  #checkElsewhere(kept: readonly string[]): void {
    const stored = new ByLane();
    for (const row of this.#store?.rows ?? []) {
      const { number } = JSON.parse(row['fields']!) as Written;
      stored.put({ ...row, number }, 'number', 'message');
    }
    if (this.#store !== undefined) expect(stored.sorted).toEqual(kept);
    const committed = new ByLane();
    for (const { value } of this.#broker?.committed(TOPIC) ?? []) {
      committed.put(JSON.parse(Buffer.from(value ?? []).toString()) as Written, 'number', 'message');
    }
    if (this.#broker !== undefined) expect(committed.sorted).toEqual(kept);
  }

  #checkLedgers(lives: readonly PipelineLife[]): void {
    for (const { settled, files } of lives) {
      expect(files.misuses).toBe(0);
      for (const { ledger } of settled) {
        // With several legs the total's outcomes are sums of theirs.
        if (this.#store === undefined && this.#broker === undefined) expect(isExact(ledger.total)).toBe(true);
        for (const leg of Object.values(ledger.legs)) expect(isExact(leg)).toBe(true);
      }
    }
  }
}

/** What came out of each incarnation, in its order, with its offsets: all of a generation is under one id. */
class ByLane {
  readonly #lines = new Map<string, string[]>();

  put(event: Written, ...fields: readonly string[]): void {
    const [lane, offset] = String(event['event.id']).split(':') as [string, string];
    const text = [offset, ...fields.map((field) => String(event[field]))].join(' ');
    this.#lines.set(lane, [...(this.#lines.get(lane) ?? []), text]);
  }

  get lists(): string[][] {
    return [...this.#lines.values()];
  }

  get sorted(): string[] {
    return sorted(this.lists);
  }
}

function sorted(lists: readonly (readonly string[])[]): string[] {
  return lists
    .filter((list) => list.length > 0)
    .map((list) => list.join('\n'))
    .sort();
}
