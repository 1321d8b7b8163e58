// A whole body in one buffer, copied there piece by piece. It knows how much may come; it knows no message.

/** Bytes gathered from pieces that are only lent. */
export class Gathering {
  readonly #most: number;
  #buffer: Buffer = Buffer.alloc(0);
  #size = 0;

  /** At most so many bytes are to come. */
  constructor(most: number) {
    this.#most = most;
  }

  /** What has come so far. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  /** Copies a piece; false, and nothing is copied, where that would be too much. */
  add(piece: Uint8Array): boolean {
    const size = this.#size + piece.length;
    if (size > this.#most) return false;
    if (size > this.#buffer.length) this.#grow(size);
    this.#buffer.set(piece, this.#size);
    this.#size = size;
    return true;
  }

  /**
   * Makes room by doubling, so that all copying together costs one more copy, and a client that announces much and sends little
   * costs little.
   */
  #grow(size: number): void {
    const before = this.bytes;
    this.#buffer = Buffer.allocUnsafe(Math.min(this.#most, Math.max(size, 2 * before.length)));
    this.#buffer.set(before);
  }
}
