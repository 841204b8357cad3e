const MIN_BYTES = 64 * 1024;
/** Joined texts are trees until they are written: small ones are still in the cache then, and gone before a collection. */
const CHUNK_CHARS = 4 * 1024;
/** No UTF-16 unit takes more in UTF-8. */
const MAX_BYTES_OF_UNIT = 3;

/** Text that is to be written, as UTF-8. One write at a time, so the same memory serves all of them. */
export class LineBuffer {
  #buffer = Buffer.alloc(0);
  #length = 0;
  #chunk = '';

  add(text: string): void {
    this.#chunk += text;
    if (this.#chunk.length >= CHUNK_CHARS) this.#flush();
  }

  /** What was added since `clear`; valid until the next `add`. */
  get bytes(): Uint8Array {
    this.#flush();
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.#chunk = '';
  }

  #flush(): void {
    const most = this.#length + this.#chunk.length * MAX_BYTES_OF_UNIT;
    if (most > this.#buffer.length) this.#grow(this.#length + Buffer.byteLength(this.#chunk));
    this.#length += this.#buffer.write(this.#chunk, this.#length);
    this.#chunk = '';
  }

  #grow(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#buffer.length * 2, MIN_BYTES));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
