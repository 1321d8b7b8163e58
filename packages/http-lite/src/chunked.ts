// Chunks: taken out of the bytes without a copy, their framing checked byte by byte. It knows no head and no
// connection.
//
//   chunked-body = *chunk last-chunk trailer-section CRLF                        (RFC 9112 §7.1)
//   chunk        = 1*HEXDIG [ chunk-ext ] CRLF chunk-data CRLF
//   chunk-ext    = *( ";" token [ "=" ( token / quoted-string ) ] )              (RFC 9112 §7.1.1)
import type { ByteQueue } from "@tcpkit/core";
import { HttpError } from "./errors.ts";
import { HeaderMap, NO_FIELDS } from "./fields.ts";
import { fault } from "./fault.ts";
import { FieldSection } from "./field-section.ts";
import { MAX_CHUNK_SIZE_DIGITS } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import type { DataEvent, EndEvent } from "./messages.ts";
import { isForbiddenTrailer } from "./trailers.ts";
import { CR, LF } from "./wire.ts";

/** A chunk extension with its ";": no white space, since RFC 9112 §7.1.1 allows it only as "bad". */
const EXTENSIONS =
  /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"))?)+$/;

/** Transfer-Encoding: chunked */
export class ChunkedDecoder {
  /** Chunks say themselves where they end. */
  readonly endsAtClose = false;
  readonly #limits: HttpLimits;
  #state: "size" | "extension" | "size-lf" | "data" | "data-cr" | "data-lf" | "trailers" | "ended" = "size";
  #size = 0;
  #digits = 0;
  #left = 0;
  /** Bytes of the extension being read, unconsumed in the queue, and of all extensions before it. */
  #extension = 0;
  #extensions = 0;
  /** Where the line of the last chunk began. */
  #lastChunk = 0;
  #trailers: FieldSection | undefined;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  /** Bytes still to come of the chunk in hand. */
  get remaining(): number {
    return this.#left;
  }

  take(queue: ByteQueue): DataEvent | EndEvent | undefined {
    while (queue.length > 0) {
      const byte = queue.buffer[queue.position]!;
      switch (this.#state) {
        case "size":
          this.#takeSizeByte(queue, byte);
          break;
        case "extension":
          if (!this.#takeExtension(queue)) return undefined;
          break;
        case "size-lf":
          expect(queue, byte, LF, "CRLF must follow a chunk size");
          this.#beginChunk();
          break;
        case "data": {
          const start = queue.offset;
          const bytes = queue.takeSome(this.#left)!;
          this.#left -= bytes.length;
          if (this.#left === 0) this.#state = "data-cr";
          return { type: "data", bytes, start, end: start + bytes.length };
        }
        case "data-cr":
          expect(queue, byte, CR, "CRLF must follow a chunk's data");
          this.#state = "data-lf";
          break;
        case "data-lf":
          expect(queue, byte, LF, "CRLF must follow a chunk's data");
          this.#state = "size";
          break;
        case "trailers":
          return this.#takeTrailers(queue);
        case "ended":
          return undefined;
      }
    }
    return undefined;
  }

  #takeSizeByte(queue: ByteQueue, byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (this.#digits === 0) this.#lastChunk = queue.offset;
      this.#size = this.#size * 16 + digit;
      if (++this.#digits > MAX_CHUNK_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER) {
        throw new HttpError("bad-chunk", "chunk size too large", { offset: queue.offset });
      }
      queue.skip(1);
    } else if (this.#digits > 0 && byte === CR) {
      queue.skip(1);
      this.#state = "size-lf";
    } else if (this.#digits > 0 && byte === 0x3b) {
      this.#state = "extension";
    } else {
      throw fault(queue, queue.position, "bad-chunk", "a chunk begins with its size in hexadecimal digits");
    }
  }

  /** Finds the extension's end, counts its bytes and checks its grammar. False while its end has not arrived. */
  #takeExtension(queue: ByteQueue): boolean {
    const { buffer, position, end } = queue;
    const most = this.#limits.maxChunkExtensionBytes - this.#extensions;
    let length = this.#extension;
    while (position + length < end && length <= most) {
      const byte = buffer[position + length]!;
      if (byte === CR) {
        if (!EXTENSIONS.test(buffer.toString("latin1", position, position + length))) {
          throw new HttpError("bad-chunk", "malformed chunk extension", { offset: queue.offset });
        }
        queue.skip(length + 1);
        this.#extensions += length;
        this.#extension = 0;
        this.#state = "size-lf";
        return true;
      }
      if (byte === LF) throw new HttpError("bare-lf", "LF without CR", { offset: queue.offset + length });
      length++;
    }
    this.#extension = length;
    if (length <= most) return false;
    const message = `chunk extensions over ${this.#limits.maxChunkExtensionBytes} bytes`;
    throw new HttpError("chunk-extensions-too-large", message, { offset: queue.offset + most });
  }

  #beginChunk(): void {
    this.#left = this.#size;
    this.#size = 0;
    this.#digits = 0;
    this.#state = this.#left === 0 ? "trailers" : "data";
  }

  #takeTrailers(queue: ByteQueue): DataEvent | EndEvent | undefined {
    const { maxFields, maxTrailerBytes } = this.#limits;
    this.#trailers ??= new FieldSection(maxFields);
    const length = this.#trailers.scan(queue, maxTrailerBytes);
    const { buffer, position, offset } = queue;
    if (length === 0) {
      if (queue.length < maxTrailerBytes) return undefined;
      const options = { status: 431, offset: offset + maxTrailerBytes };
      throw new HttpError("head-too-large", `trailer section over ${maxTrailerBytes} bytes`, options);
    }
    const { spans } = this.#trailers;
    const trailers =
      spans.length === 0 ? NO_FIELDS : new HeaderMap(buffer, position, position + length, spans);
    for (const [name] of trailers) {
      if (isForbiddenTrailer(name)) {
        throw new HttpError("bad-trailer", `${name} must not be a trailer`, { offset });
      }
    }
    queue.skip(length);
    this.#state = "ended";
    return { type: "end", trailers, start: this.#lastChunk, end: offset + length };
  }
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function expect(queue: ByteQueue, byte: number, expected: number, message: string): void {
  if (byte !== expected) throw fault(queue, queue.position, "bad-chunk", message);
  queue.skip(1);
}
