// Netstrings: a length in digits, a colon, the bytes, a comma. See https://cr.yp.to/proto/netstrings.txt
//
//   netstring = length ":" *OCTET ","      length = "0" / ( %x31-39 *DIGIT )
import type { ByteQueue } from "../bytes.ts";
import { TcpError } from "../errors.ts";
import { tooLong } from "./delimiter.ts";
import type { Frame, Framer } from "./frame.ts";

export interface NetstringOptions {
  /** Longest content, in bytes. Default: 1 MiB. */
  readonly maxLength?: number | undefined;
}

const DEFAULT_MAX_LENGTH = 1_048_576;
const COLON = 58;
const COMMA = 44;
const ZERO = 48;
const NINE = 57;

/** Takes netstrings. The length is refused at its first wrong digit, and when it is over the limit. */
export class NetstringFramer implements Framer {
  readonly #queue: ByteQueue;
  readonly #maxLength: number;

  constructor(queue: ByteQueue, options: NetstringOptions = {}) {
    this.#queue = queue;
    this.#maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  }

  /**
   * The content of the next netstring, or `undefined` while it has not all arrived.
   * @throws TcpError `frame-too-long` or `bad-frame`: stop.
   */
  take(): Frame | undefined {
    const { buffer, position, end, offset } = this.#queue;
    let length = 0;
    let at = position;
    for (; ; at++) {
      if (at === end) return undefined;
      const byte = buffer[at]!;
      if (byte === COLON && at > position) break;
      // No leading zeros: "0" is the only length that begins with one.
      if (byte < ZERO || byte > NINE || (at > position && length === 0)) {
        throw this.#bad("a length is digits, without a leading zero, and then a colon", at);
      }
      length = length * 10 + byte - ZERO;
      if (length > this.#maxLength) throw tooLong(this.#maxLength, offset + at - position);
    }
    const comma = at + 1 + length;
    if (comma >= end) return undefined;
    if (buffer[comma] !== COMMA) throw this.#bad("a comma must follow the content", comma);
    this.#queue.skip(comma + 1 - position);
    return { bytes: buffer.subarray(at + 1, comma), start: offset, end: this.#queue.offset };
  }

  #bad(message: string, at: number): TcpError {
    const offset = this.#queue.base + at;
    return new TcpError("bad-frame", `${message}, at offset ${offset}`, { blame: "remote", offset });
  }
}

/** One netstring: the inverse of `NetstringFramer`. */
export function encodeNetstring(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length}:`, "latin1"), bytes, Buffer.from(",", "latin1")]);
}
