// Frames that all have one length.
import type { ByteQueue } from "../bytes.ts";
import { TcpError } from "../errors.ts";
import type { Frame, Framer } from "./frame.ts";

/** Takes frames of exactly `length` bytes. */
export class FixedFramer implements Framer {
  readonly #queue: ByteQueue;
  readonly #length: number;

  constructor(queue: ByteQueue, length: number) {
    if (!Number.isInteger(length) || length < 1) {
      throw new TcpError("bad-option", `a frame has one byte at least, not ${length}`);
    }
    this.#queue = queue;
    this.#length = length;
  }

  take(): Frame | undefined {
    const start = this.#queue.offset;
    const bytes = this.#queue.take(this.#length);
    return bytes && { bytes, start, end: start + this.#length };
  }
}
