// Frames that end by a delimiter of any bytes. It knows where a frame ends, not what is in it.
import type { ByteQueue } from "../bytes.ts";
import { TcpError } from "../errors.ts";
import type { Frame, Framer } from "./frame.ts";

export interface DelimiterOptions {
  /** The bytes that end a frame, one at least; a string is taken as latin1. */
  readonly delimiter: Uint8Array | string;
  /** Longest frame, in bytes, its delimiter included. Default: 65,536. */
  readonly maxLength?: number | undefined;
}

const DEFAULT_MAX_LENGTH = 65_536;

/** Takes frames up to a delimiter. It searches no byte twice, but for the few in which a delimiter may have begun. */
export class DelimiterFramer implements Framer {
  readonly #queue: ByteQueue;
  readonly #delimiter: Buffer;
  readonly #maxLength: number;
  /** Bytes of the current frame in which no delimiter begins. */
  #searched = 0;

  constructor(queue: ByteQueue, options: DelimiterOptions) {
    this.#queue = queue;
    this.#delimiter = bytesOf(options.delimiter);
    this.#maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
    if (this.#delimiter.length === 0) throw new TcpError("bad-option", "a delimiter has one byte at least");
  }

  /**
   * The next frame, or `undefined` while its delimiter has not arrived.
   * @throws TcpError `frame-too-long`; there is no telling where the next frame begins: stop.
   */
  take(): Frame | undefined {
    const queue = this.#queue;
    const delimiter = this.#delimiter;
    const limit = Math.min(queue.length, this.#maxLength);
    const window = queue.buffer.subarray(queue.position, queue.position + limit);
    const at = window.indexOf(delimiter, this.#searched);
    if (at >= 0) {
      const start = queue.offset;
      this.#searched = 0;
      queue.skip(at + delimiter.length);
      return { bytes: window.subarray(0, at), start, end: queue.offset };
    }
    if (limit === this.#maxLength) throw tooLong(this.#maxLength, queue.offset + limit);
    this.#searched = Math.max(0, limit - delimiter.length + 1);
    return undefined;
  }
}

/**
 * One frame with its delimiter: the inverse of `DelimiterFramer`.
 * @throws TcpError `bad-frame` when the delimiter stands in it, or begins where the frame ends.
 */
export function encodeDelimited(bytes: Uint8Array | string, delimiter: Uint8Array | string): Buffer {
  const content = bytesOf(bytes);
  const end = bytesOf(delimiter);
  const frame = Buffer.concat([content, end]);
  if (frame.indexOf(end) !== content.length) {
    throw new TcpError("bad-frame", "the delimiter must not stand inside its frame");
  }
  return frame;
}

/** The error for a frame over its bound. */
export function tooLong(maxLength: number, offset: number): TcpError {
  return new TcpError("frame-too-long", `a frame over ${maxLength} bytes, at offset ${offset}`, {
    blame: "remote",
    offset,
  });
}

function bytesOf(bytes: Uint8Array | string): Buffer {
  return typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes);
}
