// What every framer gives: pieces of a byte stream with their places in it.
import type { Span } from "../protocol.ts";

/** One frame without its framing; `start` and `end` are absolute offsets and take the framing in. */
export interface Frame extends Span {
  readonly bytes: Buffer;
}

/**
 * Takes frames out of a `ByteQueue`, by pull. Framers hold nothing but how far they have searched, so a protocol may
 * put one aside between two frames and go on with another on the same queue.
 */
export interface Framer {
  /** The next frame, or `undefined` while it has not all arrived. @throws TcpError where the bytes are no frame. */
  take(): Frame | undefined;
}
