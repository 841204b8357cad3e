import type { Notice } from '../../src/model/notice.js';
import { everyLine } from './every-line.js';
import { FakeDisk } from '../../src/testing/fake-disk.js';
import { LogWorld } from './log-world.js';
import { DEAD, OUT, PipelineLife } from './pipeline-life.js';
import type { LifeOptions } from './pipeline-life.js';
import { Seeded } from '../../src/testing/seeded.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

/** A line that the pipeline of `PipelineLife` keeps. */
export function lineOf(number: number | string): string {
  return `ERROR|${number}|text\n`;
}

/** `count` of them, from a number on. */
export function linesOf(first: number, count: number): string {
  return Array.from({ length: count }, (_, at) => lineOf(first + at)).join('');
}

type SceneOptions = Partial<Omit<LifeOptions, 'disk' | 'clock' | 'mint'>>;

/** A disk, the programs that log to it, and the pipeline that reads: one thing after the other, in virtual time. */
export class TailScene {
  readonly clock = new VirtualClock();
  // Not from 0 on: that is the time of a file whose time nobody knows.
  readonly disk = new FakeDisk({ random: new Seeded(1), now: () => 1 + this.clock.now() });
  readonly world = new LogWorld(this.disk);
  readonly lives: PipelineLife[] = [];
  readonly #options: SceneOptions;
  #minted = 0;

  constructor(options: SceneOptions = {}) {
    this.#options = options;
    this.disk.makeFolder('/logs');
  }

  get life(): PipelineLife {
    return this.lives.at(-1)!;
  }

  /** The numbers of the lines that came out, in their order. */
  get kept(): string[] {
    return this.#json(OUT).map((event) => String(event['number']));
  }

  /** The events that came out, as `number message`. */
  get events(): string[] {
    return this.#json(OUT).map((event) => `${String(event['number'])} ${String(event['message'])}`);
  }

  /** `log.file.path` of what came out, each once. */
  get paths(): string[] {
    return [...new Set(this.#json(OUT).map((event) => String(event['log.file.path'])))];
  }

  /** Incarnations of what came out, each once. */
  get incarnations(): string[] {
    return [...new Set(this.#json(OUT).map((event) => String(event['event.id']).split(':')[0]!))];
  }

  get dead(): string[] {
    return this.#json(DEAD).map((letter) => String(letter['event.original']));
  }

  get lost(): Notice[] {
    return this.lives.flatMap(({ notices }) => notices.filter(({ code }) => code === 'MILLRACE_E_TAIL_LOST'));
  }

  /** Starts the pipeline and lets it run. */
  start(ms = 500, options: SceneOptions = {}): PipelineLife {
    const { disk, clock } = this;
    const mint = (): string => `i${++this.#minted}`;
    const tail = { ...this.#options.tail, ...options.tail };
    this.lives.push(new PipelineLife({ disk, clock, mint, ...this.#options, ...options, tail }));
    this.run(ms);
    return this.life;
  }

  run(ms: number): void {
    this.clock.runFor(ms);
    if (this.life.error !== undefined) throw this.life.error as Error;
  }

  /** SIGTERM; returns whether it came to its end. */
  stop(ms = 2000): boolean {
    this.life.stop();
    this.run(ms);
    const { isDone } = this.life;
    this.life.bury();
    return isDone;
  }

  #json(path: string): Record<string, unknown>[] {
    const lines = everyLine(this.disk, path).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}
