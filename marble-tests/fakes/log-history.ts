import type { Generation, LogWorld } from './log-world.js';
import type { Seeded } from '../../src/testing/seeded.js';

/**
 * What must have happened before a step may: `known` the path is in the durable checkpoint, `begun` so is a part of its
 * content, `read` so is all of it. Without that the loss of lines would be allowed, and nothing could be compared.
 */
type StepGate = 'known' | 'begun' | 'read';

export interface Step {
  readonly waitMs: number;
  readonly says: string;
  readonly path: string;
  readonly gate?: StepGate;
  /** Cuts a file that may be written to at once. */
  readonly isCut?: boolean;
  /** Stops the pipeline in good order, and starts it again after so long. */
  readonly restartAfterMs?: number;
  run?(world: LogWorld): unknown;
}

interface Writer {
  readonly path: string;
  /** Made up, but not written yet. */
  rest: string;
}

/** What the programs do beside the usual. */
export interface HistoryOptions {
  /** Some events have further lines, which begin with a space. */
  readonly isJoined?: boolean;
  /** Rotated files are compressed. */
  readonly isPacked?: boolean;
}

/** Makes up what programs do to their logs: lines in pieces, rotations of every kind, pauses, restarts of ours. */
export class LogHistory {
  readonly steps: Step[] = [];
  readonly paths: readonly string[];
  readonly #random: Seeded;
  readonly #writers: readonly Writer[];
  readonly #options: HistoryOptions;
  #lastLine = 0;

  constructor(random: Seeded, length: number, options: HistoryOptions = {}) {
    this.#random = random;
    this.#options = options;
    this.paths = ['/logs/app.log', '/logs/web.log'].slice(0, 1 + random.below(2));
    this.#writers = this.paths.map((path) => ({ path, rest: '' }));
    for (const writer of this.#writers) this.#write(writer);
    while (this.steps.length < length) this.#happen(random.pick(this.#writers));
    for (const writer of this.#writers) this.#finishLine(writer);
  }

  toString(): string {
    return this.steps
      .map(({ waitMs, says, path, gate }) => `+${waitMs} ${path}: ${says}${gate ? ` (${gate})` : ''}`)
      .join('\n');
  }

  #happen(writer: Writer): void {
    if (this.#options.isPacked === true && this.#random.chance(0.25)) {
      this.#compress(writer);
      return;
    }
    const luck = this.#random.below(20);
    if (luck < 11) this.#write(writer);
    else if (luck < 14) this.#rename(writer);
    else if (luck < 17) this.#copyTruncate(writer);
    // What waits until all was read waits longer than lines of one event may be apart.
    else if (luck < 19 && this.#options.isJoined === true) this.#write(writer);
    else if (luck === 17) this.#truncate(writer);
    else if (luck === 18) this.#remove(writer);
    else this.#add({ says: 'restart', path: '-', restartAfterMs: this.#random.below(200) });
  }

  #add(step: Omit<Step, 'waitMs'>, waitMs?: number): void {
    const pause = this.#random.chance(0.3) ? 150 : 15;
    this.steps.push({ waitMs: waitMs ?? this.#random.below(pause), ...step });
  }

  #line(): string {
    const number = String(++this.#lastLine).padStart(5, '0');
    const end = this.#random.chance(0.2) ? '\r\n' : '\n';
    if (this.#options.isJoined === true && this.#random.chance(0.5)) return ` at ${number}${end}`;
    const luck = this.#random.below(10);
    if (luck === 0) return end;
    if (luck === 1) return `unparsable ${number}${end}`;
    if (luck === 2) return `INFO|${number}|nothing${end}`;
    return `ERROR|${number}|${'größer '.repeat(this.#random.below(4))}${end}`;
  }

  #write(writer: Writer): void {
    for (let lines = this.#random.below(5); lines >= 0; lines--) writer.rest += this.#line();
    // Not inside a character: the world counts in characters. The splitter's own test cuts at every byte.
    const length = this.#random.chance(0.4) ? this.#random.below(writer.rest.length) + 1 : writer.rest.length;
    this.#append(writer, writer.rest.slice(0, length));
    writer.rest = writer.rest.slice(length);
  }

  #append({ path }: Writer, text: string): void {
    this.#add({ says: `append ${JSON.stringify(text)}`, path, run: (world) => world.append(path, text) });
  }

  #finishLine(writer: Writer): void {
    if (writer.rest !== '') this.#append(writer, writer.rest);
    writer.rest = '';
  }

  #rename(writer: Writer): void {
    const { path } = writer;
    const creates = this.#random.chance(0.5);
    const isLate = writer.rest !== '' && this.#random.chance(0.5);
    let old: Generation | undefined;
    const run = (world: LogWorld): unknown => (old = world.rename(path, { creates }));
    this.#add({ says: `rename${creates ? ' + create' : ''}`, path, gate: 'known', run });
    if (!isLate) {
      // What was not written is never written; a half line stays one.
      writer.rest = '';
      return;
    }
    const late = writer.rest;
    writer.rest = '';
    const append = (world: LogWorld): void => {
      if (old === undefined) world.append(path, late);
      else world.appendLate(old, late);
    };
    this.#add({ says: `late ${JSON.stringify(late)}`, path, run: append }, this.#random.below(30));
  }

  #compress({ path }: Writer): void {
    let finish: (() => void) | undefined;
    this.#add({ says: 'compress', path, run: (world) => (finish = world.compress(path)) });
    this.#add({ says: 'compressed', path, run: () => finish?.() });
  }

  #copyTruncate(writer: Writer): void {
    const { path, rest } = writer;
    // At least one line has to be whole, or nothing of it is ever in the checkpoint.
    const length = rest.indexOf('\n') + 1;
    const more = length + this.#random.below(rest.length - length + 1);
    if (rest !== '') this.#append(writer, rest.slice(0, more));
    writer.rest = rest.slice(more);
    this.#add({ says: 'copy', path, gate: 'begun', run: (world) => world.copy(path) });
    this.#add({ says: 'truncate', path, isCut: true, run: (world) => world.truncate(path) }, this.#random.below(4));
  }

  /** Without a copy: only what was read may go. */
  #truncate(writer: Writer): void {
    this.#finishLine(writer);
    const { path } = writer;
    const text = this.#random.chance(0.5) ? '' : this.#line().repeat(1 + this.#random.below(1)) + this.#longText();
    this.#add({
      says: `rewrite ${JSON.stringify(text)}`,
      path,
      gate: 'read',
      run: (world) => world.truncate(path, text),
    });
  }

  /** Beyond any old size. */
  #longText(): string {
    let text = '';
    for (let lines = this.#random.below(2) * 60; lines > 0; lines--) text += this.#line();
    return text;
  }

  #remove(writer: Writer): void {
    this.#finishLine(writer);
    const { path } = writer;
    this.#add({ says: 'remove', path, gate: 'read', run: (world) => world.remove(path) });
  }
}
