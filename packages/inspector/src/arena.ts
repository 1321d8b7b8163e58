// Room for the bytes of kept chunks: one block, filled round and round. A copy made for each chunk would be garbage a
// moment later, and tens of megabytes of it before anybody sweeps. It knows no records.

/**
 * Copies in a circle. A copy stays as it is until `size` more bytes have been copied, so whoever keeps no more than
 * `size` bytes of the newest copies never sees one overwritten.
 */
export class Arena {
  readonly #block: Uint8Array;
  #at = 0;

  /** `largest` is the length of the longest copy, in bytes. */
  constructor(size: number, largest: number) {
    // A copy is in one piece: up to `largest` bytes at the end stay unused in a round. One more is being made.
    this.#block = new Uint8Array(size + 2 * largest);
  }

  copy(bytes: Uint8Array): Uint8Array {
    if (this.#at + bytes.length > this.#block.length) this.#at = 0;
    const copy = this.#block.subarray(this.#at, this.#at + bytes.length);
    copy.set(bytes);
    this.#at += bytes.length;
    return copy;
  }
}
