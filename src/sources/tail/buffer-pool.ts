/** So many blocks are read ahead, of all files together: they are not reserved with demand. */
const MAX_AHEAD = 4;

/** Blocks to read into, used again and again. As many as there are reads at a time, which demand bounds. */
export class BufferPool {
  readonly #free: Buffer[] = [];
  #aheadCount = 0;

  /** Room for a block of the size, or at least a small one, and the bytes before it. */
  take(bytes: number): Buffer {
    const fitting = this.#free.findIndex((buffer) => buffer.length >= bytes);
    const [buffer] = fitting < 0 ? [] : this.#free.splice(fitting, 1);
    return buffer ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Whether a block may be read ahead; if so, it must be told when it was. */
  mayTakeAhead(): boolean {
    if (this.#aheadCount >= MAX_AHEAD) return false;
    this.#aheadCount++;
    return true;
  }

  tookAhead(): void {
    this.#aheadCount--;
  }

  /** Only what no read can still write into. */
  give(buffer: Buffer): void {
    this.#free.push(buffer);
  }
}
