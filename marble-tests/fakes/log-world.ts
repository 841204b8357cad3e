import { gzipSync } from 'node:zlib';
import type { FakeDisk, Inode } from '../../src/testing/fake-disk.js';

/** What one file held from its creation or truncation to the next: what a reader has to see as one incarnation. */
export interface Generation {
  readonly path: string;
  readonly inode: Inode;
  content: string;
  /** There will be no more of it: an incomplete last line is a line. */
  isEnded: boolean;
}

/** A complete line, and where it begins. */
export interface WrittenLine {
  readonly offset: number;
  readonly text: string;
}

/** The programs that write logs and rotate them. Knows what they have written, so it knows what must come out. */
export class LogWorld {
  readonly generations: Generation[] = [];
  readonly #disk: FakeDisk;

  constructor(disk: FakeDisk) {
    this.#disk = disk;
  }

  current(path: string): Generation | undefined {
    return this.generations.findLast((generation) => generation.path === path && !generation.isEnded);
  }

  append(path: string, text: string): void {
    if (text === '') return;
    const inode = this.#disk.append(path, text);
    const generation = this.current(path) ?? this.#began(path, inode);
    generation.content += text;
  }

  /** rename + create. `late`: what the writer adds to the old file before it notices. */
  rename(path: string, { creates, to }: { creates: boolean; to?: string }): Generation | undefined {
    const generation = this.current(path);
    if (generation === undefined) return undefined;
    if (to === undefined) this.#disk.shift(path);
    this.#disk.move(path, to ?? `${path}.1`);
    generation.isEnded = true;
    if (creates) this.#disk.append(path, '');
    return generation;
  }

  appendLate(generation: Generation, text: string): void {
    generation.content += text;
    this.#disk.appendTo(generation.inode, text);
  }

  /** The first half of copytruncate. */
  copy(path: string, to?: string): void {
    if (this.current(path) === undefined) return;
    if (to === undefined) this.#disk.shift(path);
    this.#disk.copy(path, to ?? `${path}.1`);
  }

  /** Cuts a file to nothing, and writes at once: the second half of copytruncate, or a program that starts anew. */
  truncate(path: string, text = ''): void {
    const generation = this.current(path);
    if (generation === undefined) return;
    generation.isEnded = true;
    this.#disk.rewrite(path);
    this.append(path, text);
  }

  /** The first half of gzip: the archive is there, and not complete. Returns how to finish it. */
  compress(path: string): (() => void) | undefined {
    const plain = this.#disk.paths
      .filter((each) => /\.\d+$/.test(each) && each.startsWith(`${path}.`))
      .sort()
      .at(-1);
    if (plain === undefined) return undefined;
    const inode = this.#disk.inode(plain)!;
    const packed = gzipSync(inode.content);
    const half = Math.floor(packed.length / 2);
    const archive = this.#disk.append(`${plain}.gz`, packed.subarray(0, half));
    return () => {
      // Both may have been shifted since.
      this.#disk.appendTo(archive, packed.subarray(half));
      archive.mtimeMs = inode.mtimeMs;
      const path = this.#disk.paths.find((each) => this.#disk.inode(each) === inode);
      if (path !== undefined) this.#disk.remove(path);
    };
  }

  remove(path: string): void {
    const generation = this.current(path);
    if (generation === undefined) return;
    generation.isEnded = true;
    this.#disk.remove(path);
  }

  linesOf({ content, isEnded }: Generation): WrittenLine[] {
    const lines: WrittenLine[] = [];
    let offset = 0;
    for (const line of content.split(/(?<=\n)/)) {
      if (line.endsWith('\n') || (isEnded && line !== '')) lines.push({ offset, text: line.replace(/\r?\n?$/, '') });
      offset += Buffer.byteLength(line);
    }
    return lines;
  }

  /** Lines and those that begin with a space and follow them, as one. */
  eventsOf(generation: Generation): WrittenLine[] {
    const events: WrittenLine[] = [];
    for (const line of this.linesOf(generation)) {
      const before = events.at(-1);
      if (before === undefined || !line.text.startsWith(' ')) events.push(line);
      else events[events.length - 1] = { ...before, text: `${before.text}\n${line.text}` };
    }
    return events;
  }

  #began(path: string, inode: Inode): Generation {
    const generation = { path, inode, content: '', isEnded: false };
    this.generations.push(generation);
    return generation;
  }
}
