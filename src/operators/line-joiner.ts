/** Which lines belong together: exactly one of `start` and `continuation`. */
export interface JoinRule {
  /** What matches begins an event; other lines belong to the one before. */
  readonly start?: string | undefined;
  /** What matches belongs to the line before; other lines begin an event. */
  readonly continuation?: string | undefined;
  /** An event has no more lines; what follows is one of its own. */
  readonly maxLines: number;
  /** An event has no more bytes, unless its first line alone has; what follows is one of its own. */
  readonly maxBytes: number;
}

/** What is asked of the patterns is how a line begins: no line can occupy the processor for long. */
const MAX_PATTERN_CHARS = 4096;

/** A line, as far as joining goes. */
export interface JoinableLine {
  readonly text: string;
}

/**
 * Groups lines that belong together: what reads files and what joins events of other sources decide by the same rule.
 * A group comes out when the next one begins. Memory: one group of at most `maxLines` and `maxBytes`.
 */
export class LineJoiner<T extends JoinableLine> {
  readonly #rule: JoinRule;
  readonly #pattern: RegExp;
  #lines: T[] = [];
  #bytes = 0;
  #isClosed = false;

  constructor(rule: JoinRule) {
    this.#rule = rule;
    this.#pattern = new RegExp(rule.start ?? rule.continuation ?? '', 'u');
  }

  /** The first line of the group that has not come out. */
  get first(): T | undefined {
    return this.#lines[0];
  }

  /** Bytes of the lines that have not come out. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** Takes the next line; returns the group before it, if this line begins another one. */
  push(line: T, bytes: number): readonly T[] | undefined {
    const complete = this.#belongs(line, bytes) ? undefined : this.flush();
    this.#lines.push(line);
    this.#bytes += bytes;
    return complete;
  }

  /** Nothing joins a line that stands alone, and it joins none. */
  pushAlone(line: T, bytes: number): readonly T[] | undefined {
    const complete = this.flush();
    this.#lines.push(line);
    this.#bytes = bytes;
    this.#isClosed = true;
    return complete;
  }

  /** The group that has not come out does; undefined if there is none. */
  flush(): readonly T[] | undefined {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    this.#isClosed = false;
    return lines.length === 0 ? undefined : lines;
  }

  #belongs({ text }: T, bytes: number): boolean {
    const { start, maxLines, maxBytes } = this.#rule;
    if (this.#isClosed || this.#lines.length === 0 || this.#lines.length >= maxLines) return false;
    if (this.#bytes + bytes > maxBytes) return false;
    const isMatch = this.#pattern.test(text.length > MAX_PATTERN_CHARS ? text.slice(0, MAX_PATTERN_CHARS) : text);
    return isMatch === (start === undefined);
  }
}
