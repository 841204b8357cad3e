import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Json, Running } from './harness.js';
import { announcedSeed, exampleConfig, Lines, placeForEachTest, randomOf, until, within } from './harness.js';
import { faultsOf, LogWriter, numbersIn } from './log-writer.js';

const place = placeForEachTest();

const MIXED_MS = 16_000;
const SINGLE_MS = 2500;

/** What the service has written so far. */
class Outputs {
  readonly #events = new Lines(place().path('out/all.ndjson'));
  readonly #letters = new Lines(place().path('out/dead.ndjson'));
  readonly #last = new Map<string, number>();

  get eventCount(): number {
    this.#read();
    return this.#events.all.length;
  }

  /** Waits until the writer's last line has come out. */
  async haveAllOf({ name, count }: LogWriter): Promise<void> {
    const isOut = (): boolean => {
      this.#read();
      return (this.#last.get(name) ?? -1) >= count - 1;
    };
    await until(`line ${count - 1} of ${name}`, isOut, 10_000);
  }

  faults(writer: LogWriter): string[] {
    this.#read();
    const texts = (lines: readonly string[], key: string): string[] =>
      lines.map((line) => String((JSON.parse(line) as Json)[key]));
    const broken = new Set(writer.brokenNumbers);
    const wanted = Array.from({ length: writer.count }, (_, n) => n).filter((n) => !broken.has(n));
    const events = numbersIn(texts(this.#events.all, 'message'), writer);
    const letters = numbersIn(texts(this.#letters.all, 'event.original'), writer);
    return [
      ...faultsOf(`${writer.name}.log`, wanted, events, true),
      ...faultsOf(`${writer.name}.log, dead letters`, [...broken], letters, true),
    ];
  }

  #read(): void {
    for (const line of [...this.#events.more(), ...this.#letters.more()]) {
      const [, name = '', number] = /[" ]([a-z]+\d*)#(\d+)#/.exec(line) ?? [];
      this.#last.set(name, Math.max(Number(number), this.#last.get(name) ?? -1));
    }
  }
}

function config(globs: string): string {
  return exampleConfig({
    '"logs/*.log"': globs,
    'name: problems': 'name: all',
    '- keep: { level: [ERROR, WARN] }': '- fields: { set: { kept: true } }',
    'out/problems': 'out/all',
  });
}

type Way = (writer: LogWriter, random: () => number, outputs: Outputs) => Promise<void>;

const some = (random: () => number): number => 1 + Math.floor(random() * 60);

/** Every way that a log is rotated. A file with a dated name is never renamed again. */
const WAYS: Readonly<Record<string, Way>> = {
  'rename and create': async (writer, random) => {
    writer.renameAndCreate(random() < 0.5);
  },
  'copy and truncate': async (writer, random) => {
    writer.copyAndTruncate(random() < 0.5);
  },
  'truncate after all was read': async (writer, _, outputs) => {
    await outputs.haveAllOf(writer);
    writer.truncate();
  },
  'rotate twice': async (writer, random) => {
    writer.renameAndCreate(false);
    writer.append(some(random));
    if (random() < 0.5) await wait(random() * 20);
    writer.renameAndCreate(false);
  },
  'copy twice': async (writer, random) => {
    writer.copyAndTruncate(true);
    writer.append(some(random));
    await wait(random() * 20);
    writer.copyAndTruncate(true);
  },
  'go on writing after the rename': async (writer, random) => {
    writer.rename(random() < 0.5);
    const line = writer.begin(random());
    await wait(random() * 300);
    line.finish();
    writer.append(some(random));
    writer.reopen();
  },
  'remove after the rename, when it was read': async (writer, random, outputs) => {
    const rotated = writer.renameAndCreate(true);
    writer.append(some(random));
    await outputs.haveAllOf(writer);
    rmSync(rotated);
  },
  'half a line': async (writer, random) => {
    const line = writer.begin(random());
    await wait(random() * 300);
    line.finish();
  },
};

async function torture(
  ms: number,
  writer: LogWriter,
  ways: readonly string[],
  random: () => number,
  outputs: Outputs,
  history: string[],
): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    for (let writes = Math.floor(random() * 40); writes >= 0; writes--) {
      writer.append(Math.floor(random() * 30));
      if (random() < 0.7) await wait(random() * 20);
    }
    const way = ways[Math.floor(random() * ways.length)] ?? '';
    history.push(`${writer.name} line ${writer.count}: ${way}`);
    await WAYS[way]?.(writer, random, outputs);
  }
}

async function finish(
  running: Running,
  outputs: Outputs,
  writers: readonly LogWriter[],
  history: readonly string[],
  isInOrder = true,
): Promise<void> {
  const total = writers.reduce((all, { count, brokenNumbers }) => all + count - brokenNumbers.length, 0);
  await until('all', () => outputs.eventCount >= total, 12_000).catch(() => undefined);
  await wait(500);
  running.kill('SIGTERM');
  const { code, stderr } = await within(10_000, 'the end', running.ended);
  const all = writers.flatMap((writer) => outputs.faults(writer));
  const faults = isInOrder ? all : all.filter((fault) => !fault.includes('out of order'));
  if (all.length > faults.length) console.log(all.join('\n'));
  console.log(`${writers.reduce((all, { count }) => all + count, 0)} lines, ${history.length} rotations and pauses`);
  expect(faults, `${history.slice(-400).join('\n')}\n${stderr}`).toEqual([]);
  expect(code).toBe(0);
  expect((await place().once()).summary).toMatchObject({ read: 0 });
  for (const writer of writers) writer.close();
}

describe('rotation', () => {
  it.each([
    ['outside the patterns', '"logs/*.log"'],
    ['inside the patterns', '"logs/*.log", "logs/*.log.*", "logs/*.log-*"'],
  ])('in every way at random, rotated files %s: every line once', async (_, globs) => {
    const seed = announcedSeed('rotation-torture.test.ts');
    const random = randomOf(seed);
    place().write('pipeline.yaml', config(globs));
    mkdirSync(place().path('logs'));
    const running = place().start(['run', 'pipeline.yaml']);
    const outputs = new Outputs();
    const history: string[] = [];
    const writers = ['a', 'b', 'c'].map((name) => new LogWriter(name, place().path('logs', `${name}.log`)));
    for (const writer of writers) {
      // Nobody can know of what was rotated away before the log was ever seen.
      writer.append(3);
      await outputs.haveAllOf(writer);
    }
    const work = writers.map((writer) => torture(MIXED_MS, writer, Object.keys(WAYS), random, outputs, history));
    // New files appear all the time; each gets a few lines and is rotated once.
    for (let at = 0; at < MIXED_MS / 1000; at++) {
      await wait(1000);
      const writer = new LogWriter(`new${at}`, place().path('logs', `new${at}.log`));
      writers.push(writer);
      writer.append(some(random));
      await outputs.haveAllOf(writer);
      writer.renameAndCreate(random() < 0.5);
      writer.append(some(random));
    }
    await Promise.all(work);
    // Several rotations of every kind within milliseconds: now and then an incarnation is found after its successor.
    await finish(running, outputs, writers, history, false);
  });

  it.each(Object.keys(WAYS))('%s, again and again: every line once, in order', async (way) => {
    const random = randomOf(announcedSeed(way));
    place().write('pipeline.yaml', config('"logs/*.log"'));
    mkdirSync(place().path('logs'));
    const running = place().start(['run', 'pipeline.yaml']);
    const outputs = new Outputs();
    const history: string[] = [];
    const writer = new LogWriter('a', place().path('logs', 'a.log'));
    writer.append(3);
    await outputs.haveAllOf(writer);
    await torture(SINGLE_MS, writer, [way], random, outputs, history);
    await finish(running, outputs, [writer], history);
  });
});
