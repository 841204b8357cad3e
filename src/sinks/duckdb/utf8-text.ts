/** So much is joined and encoded at a time: it is still in the processor's cache then. */
const PIECE_CHARS = 8192;
const FIRST_BYTES = 1024 * 1024;
const MAX_BYTES_A_CHAR = 3;

/** A text that is put together piece by piece, as UTF-8 in one buffer, which is used again and again. */
export class Utf8Text {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #bytes = 0;
  #pending = '';
  #cuts: number[] = [];

  /** So far; the little that is not encoded yet counts as ASCII. */
  get bytes(): number {
    return this.#bytes + this.#pending.length;
  }

  /** Halves of a character become U+FFFD. */
  add(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= PIECE_CHARS) this.#encode();
  }

  /** What is added after this is another piece. */
  cut(): void {
    this.#encode();
    this.#cuts.push(this.#bytes);
  }

  /** The pieces that were cut since the last call; they hold until the next `add`. */
  take(): Uint8Array[] {
    const taken = this.#cuts.map((end, at) => this.#buffer.subarray(this.#cuts[at - 1] ?? 0, end));
    this.#cuts = [];
    this.#bytes = 0;
    return taken;
  }

  #encode(): void {
    const needed = this.#bytes + this.#pending.length * MAX_BYTES_A_CHAR;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#bytes);
      this.#buffer = larger;
    }
    this.#bytes += this.#buffer.write(this.#pending, this.#bytes, 'utf8');
    this.#pending = '';
  }
}
