// Bytes that have arrived and are not yet used, as one contiguous window with absolute offsets.
// It knows nothing of lines, messages or sockets.

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * The unread bytes of one direction of a connection.
 *
 * The window is always contiguous, so that a decoder scans one `Buffer` by index. A chunk that arrives while
 * nothing is unread is adopted without a copy; otherwise it is appended to a buffer that doubles, so that a
 * peer who sends byte by byte costs linear time, and thousands of tiny chunks cost no more than their bytes.
 * Bytes once handed out are never written over: what `take` returned stays as it was.
 */
export class ByteQueue {
  /** Holds the unread bytes at `[position, end)`. Read it; only `push` and the `take` methods change it. */
  buffer: Buffer = EMPTY;
  /** Index in `buffer` of the first unread byte. */
  position = 0;
  /** Index in `buffer` after the last unread byte. */
  end = 0;
  /** Absolute offset in the stream of `buffer[0]`. */
  base = 0;
  /** True when `buffer` was allocated here, so that there may be room behind `end`. */
  #owned = false;

  /** Unread bytes. */
  get length(): number {
    return this.end - this.position;
  }

  /** Absolute offset in the stream of the first unread byte. */
  get offset(): number {
    return this.base + this.position;
  }

  /** Adds a chunk behind the unread bytes. The chunk must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.position === this.end) {
      this.#adopt(asBuffer(chunk));
      return;
    }
    if (!this.#owned || this.end + chunk.length > this.buffer.length) this.#grow(chunk.length);
    this.buffer.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** Takes exactly `count` bytes, without a copy; `undefined` while fewer are there. */
  take(count: number): Buffer | undefined {
    if (count > this.end - this.position) return undefined;
    const { buffer, position } = this;
    this.skip(count);
    return count === buffer.length ? buffer : buffer.subarray(position, position + count);
  }

  /** Takes what is there, `limit` bytes at most, without a copy; `undefined` when nothing is. */
  takeSome(limit: number = Infinity): Buffer | undefined {
    const count = Math.min(limit, this.end - this.position);
    return count > 0 ? this.take(count) : undefined;
  }

  /** Drops unread bytes, `count` at most, and says how many. */
  skip(count: number): number {
    const skipped = Math.min(count, this.end - this.position);
    this.position += skipped;
    // Nothing unread, nothing held: an idle connection must not keep its last chunk.
    if (this.position === this.end) this.#adopt(EMPTY);
    return skipped;
  }

  #adopt(buffer: Buffer): void {
    this.base += this.end;
    this.buffer = buffer;
    this.position = 0;
    this.end = buffer.length;
    this.#owned = false;
  }

  #grow(needed: number): void {
    const unread = this.end - this.position;
    const buffer = Buffer.allocUnsafeSlow(Math.max(256, 2 * unread, unread + needed));
    buffer.set(this.buffer.subarray(this.position, this.end), 0);
    this.base += this.position;
    this.buffer = buffer;
    this.position = 0;
    this.end = unread;
    this.#owned = true;
  }
}

/** The same memory seen as a `Buffer`, for its decoding methods. Nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Text in UTF-8 as it goes on the wire: the string itself where it is ASCII (one byte a character, so that the
 * driver can join it with its neighbours), a `Buffer` otherwise.
 */
export function utf8(text: string): string | Buffer {
  return Buffer.byteLength(text, "utf8") === text.length ? text : Buffer.from(text, "utf8");
}
