import { closeSync, copyFileSync, existsSync, openSync, renameSync, truncateSync, writeSync } from 'node:fs';

/**
 * Writes numbered lines to one log and rotates it, as logrotate and log libraries do. What becomes of each line follows
 * from its number: every 97th has too few fields (a dead letter), every fifth of the others is kept.
 */
export class LogWriter {
  readonly name: string;
  readonly path: string;
  /** Lines that are complete in some file. */
  count = 0;
  #fd: number;
  #rotations = 0;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
    this.#fd = openSync(path, 'a');
  }

  /** Lines `from` … `to` - 1 as text, each with its line end. */
  text(from: number, to: number): string {
    let text = '';
    for (let n = from; n < to; n++) {
      const tag = `${this.name}#${n}#`;
      if (isBroken(n)) text += `broken ${tag}\n`;
      else
        text += `2026-03-09T10:11:12.${String(n % 1000).padStart(3, '0')}Z|${isKept(n) ? 'ERROR' : 'INFO'}|${tag} größer ${'x'.repeat(n % 80)}\n`;
    }
    return text;
  }

  append(lines: number): void {
    writeSync(this.#fd, this.text(this.count, this.count + lines));
    this.count += lines;
  }

  /** A part of the next line, cut anywhere, also inside a character; `finish` writes the rest of it. */
  begin(share: number): { finish(): void } {
    const bytes = Buffer.from(this.text(this.count, this.count + 1));
    const cut = Math.floor(share * bytes.length);
    const fd = this.#fd;
    writeSync(fd, bytes.subarray(0, cut));
    return {
      finish: () => {
        writeSync(fd, bytes.subarray(cut));
        this.count++;
      },
    };
  }

  /** app.log.1, app.log.2 … or, with `isDated`, a name that is never used again. */
  rotatedPath(isDated: boolean): string {
    this.#rotations++;
    if (isDated) return `${this.path}-20260309${String(this.#rotations).padStart(4, '0')}`;
    let last = 1;
    while (existsSync(`${this.path}.${last}`)) last++;
    for (; last > 1; last--) renameSync(`${this.path}.${last - 1}`, `${this.path}.${last}`);
    return `${this.path}.1`;
  }

  /** The open file gets another name; what is written before `reopen` still goes there. */
  rename(isDated: boolean): string {
    const rotated = this.rotatedPath(isDated);
    renameSync(this.path, rotated);
    return rotated;
  }

  /** A new file at the path. */
  reopen(): void {
    closeSync(this.#fd);
    this.#fd = openSync(this.path, 'a');
  }

  renameAndCreate(isDated: boolean): string {
    const rotated = this.rename(isDated);
    this.reopen();
    return rotated;
  }

  copyAndTruncate(isDated: boolean): string {
    const rotated = this.rotatedPath(isDated);
    copyFileSync(this.path, rotated);
    this.truncate();
    return rotated;
  }

  /** Opened for appending, so that the next write begins at 0. */
  truncate(): void {
    truncateSync(this.path);
  }

  close(): void {
    closeSync(this.#fd);
  }

  get keptNumbers(): number[] {
    return this.#numbers((n) => !isBroken(n) && isKept(n));
  }

  get brokenNumbers(): number[] {
    return this.#numbers(isBroken);
  }

  #numbers(is: (n: number) => boolean): number[] {
    return Array.from({ length: this.count }, (_, n) => n).filter(is);
  }
}

function isBroken(n: number): boolean {
  return n % 97 === 0;
}

function isKept(n: number): boolean {
  return n % 5 === 0;
}

/** The numbers of a writer's lines that came out, in the order they did. */
export function numbersIn(texts: readonly string[], { name }: LogWriter): number[] {
  return texts.flatMap((text) => {
    const found = /(\S+)#(\d+)#/.exec(text);
    return found?.[1] === name ? [Number(found[2])] : [];
  });
}

/** What is wrong with what came out, in words; empty when each line came out once. Order is judged when asked for. */
export function faultsOf(
  what: string,
  wanted: readonly number[],
  got: readonly number[],
  isOrdered: boolean,
): string[] {
  const unique = new Set(got);
  const wantedSet = new Set(wanted);
  const missing = wanted.filter((n) => !unique.has(n));
  const twice = got.filter((n, at) => got.indexOf(n) !== at);
  const unknown = [...unique].filter((n) => !wantedSet.has(n));
  const back = isOrdered ? got.filter((n, at) => at > 0 && n < (got[at - 1] ?? -1)) : [];
  const list = (numbers: readonly number[]): string => `${numbers.length}: ${numbers.slice(0, 12).join(' ')} …`;
  return [
    ...(missing.length > 0 ? [`${what}: missing ${list(missing)}`] : []),
    ...(twice.length > 0 ? [`${what}: twice ${list(twice)}`] : []),
    ...(unknown.length > 0 ? [`${what}: unknown ${list(unknown)}`] : []),
    ...(back.length > 0 ? [`${what}: out of order ${list(back)}`] : []),
  ];
}
