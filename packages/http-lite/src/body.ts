// Takes a body out of the bytes behind a head, as its framing says, without a copy. Chunks are in chunked.ts.
// It knows no head and no connection.
import { assertNever } from "@tcpkit/core";
import type { ByteQueue } from "@tcpkit/core";
import { ChunkedDecoder } from "./chunked.ts";
import { NO_FIELDS } from "./fields.ts";
import type { Framing } from "./framing.ts";
import type { HttpLimits } from "./limits.ts";
import type { DataEvent, EndEvent } from "./messages.ts";

/** Takes pieces of one body. `undefined`: more bytes are needed. `end`: the body is complete. */
export interface BodyDecoder {
  take(queue: ByteQueue): DataEvent | EndEvent | undefined;
  /** True when the end of the connection is the end of the body. */
  readonly endsAtClose: boolean;
  /** Bytes of content still to come, as far as that is known; otherwise 0. */
  readonly remaining: number;
}

/** The decoder for a framing. */
export function bodyDecoder(framing: Framing, limits: HttpLimits): BodyDecoder {
  switch (framing.type) {
    case "none":
      return new LengthDecoder(0);
    case "length":
      return new LengthDecoder(framing.length);
    case "chunked":
      return new ChunkedDecoder(limits);
    case "close":
      return new LengthDecoder(Infinity);
    default:
      return assertNever(framing);
  }
}

/** Content-Length, and with an infinite one "until the connection closes". */
class LengthDecoder implements BodyDecoder {
  readonly endsAtClose: boolean;
  #left: number;

  constructor(length: number) {
    this.#left = length;
    this.endsAtClose = length === Infinity;
  }

  get remaining(): number {
    return this.endsAtClose ? 0 : this.#left;
  }

  take(queue: ByteQueue): DataEvent | EndEvent | undefined {
    const start = queue.offset;
    if (this.#left === 0) return { type: "end", trailers: NO_FIELDS, start, end: start };
    const bytes = queue.takeSome(this.#left);
    if (bytes === undefined) return undefined;
    this.#left -= bytes.length;
    return { type: "data", bytes, start, end: start + bytes.length };
  }
}
