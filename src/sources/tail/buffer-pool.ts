/** Blocks to read into, used again and again. As many as there are reads at a time, which demand bounds. */
export class BufferPool {
  readonly #free: Buffer[] = [];

  /** Room for a block of the size, or at least a small one, and the bytes before it. */
  take(bytes: number): Buffer {
    const fitting = this.#free.findIndex((buffer) => buffer.length >= bytes);
    const [buffer] = fitting < 0 ? [] : this.#free.splice(fitting, 1);
    return buffer ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Only what no read can still write into. */
  give(buffer: Buffer): void {
    this.#free.push(buffer);
  }
}
