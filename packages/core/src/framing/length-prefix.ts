// Frames that begin with their length. It knows the number before the bytes, not what the bytes are.
import type { ByteQueue } from "../bytes.ts";
import { asBuffer } from "../bytes.ts";
import { TcpError } from "../errors.ts";
import { tooLong } from "./delimiter.ts";
import type { Frame, Framer } from "./frame.ts";

export interface LengthPrefixOptions {
  /** Bytes of the length field, 1 to 8. Default: 4. */
  readonly size?: number | undefined;
  /** Order of its bytes. Default: `"big"`, the network's. */
  readonly endian?: "big" | "little" | undefined;
  /** Bytes before the length field (a magic number, a type); they stay in the frame. Default: 0. */
  readonly header?: number | undefined;
  /** Added to the number that was read, to give the bytes behind the length field: `-4` where a length of 4 bytes counts itself. Default: 0. */
  readonly adjustment?: number | undefined;
  /** Longest content behind the length field, in bytes. Default: 1 MiB. */
  readonly maxLength?: number | undefined;
}

const DEFAULT_MAX_LENGTH = 1_048_576;

/** A frame: `header` holds the bytes before the length field, `bytes` those behind it. */
export interface LengthPrefixedFrame extends Frame {
  readonly header: Buffer;
}

type Shape = Required<{ [Name in keyof LengthPrefixOptions]: NonNullable<LengthPrefixOptions[Name]> }>;

/** Takes frames that begin with their length. A length over the limit is refused before its bytes come. */
export class LengthPrefixFramer implements Framer {
  readonly #queue: ByteQueue;
  readonly #shape: Shape;

  constructor(queue: ByteQueue, options: LengthPrefixOptions = {}) {
    this.#queue = queue;
    this.#shape = shapeOf(options);
  }

  /**
   * The next frame, or `undefined` while it has not all arrived.
   * @throws TcpError `frame-too-long`, or `bad-frame` for a length below zero; nothing behind it can be read: stop.
   */
  take(): LengthPrefixedFrame | undefined {
    const queue = this.#queue;
    const { header, size, maxLength } = this.#shape;
    const before = header + size;
    if (queue.length < before) return undefined;
    const length = this.#readLength(queue.buffer, queue.position + header);
    if (length > maxLength) throw tooLong(maxLength, queue.offset + header);
    if (length < 0) {
      const offset = queue.offset + header;
      throw new TcpError("bad-frame", `a length below zero, at offset ${offset}`, {
        blame: "remote",
        offset,
      });
    }
    const start = queue.offset;
    const frame = queue.take(before + length);
    if (frame === undefined) return undefined;
    return {
      header: frame.subarray(0, header),
      bytes: frame.subarray(before),
      start,
      end: start + frame.length,
    };
  }

  #readLength(buffer: Buffer, at: number): number {
    const { size, endian, adjustment } = this.#shape;
    let length = 0;
    // Above 2^53 this loses digits, but never so many that it would pass the limit.
    for (let index = 0; index < size; index++) {
      length = length * 256 + buffer[endian === "big" ? at + index : at + size - 1 - index]!;
    }
    return length + adjustment;
  }
}

/**
 * One frame with its length before it: the inverse of `LengthPrefixFramer`.
 * @throws TcpError `frame-too-long`, or `bad-option` for a header of another size or a length that the field cannot
 * hold.
 */
export function encodeLengthPrefixed(
  bytes: Uint8Array,
  options: LengthPrefixOptions = {},
  header: Uint8Array = new Uint8Array(0),
): Buffer {
  const shape = shapeOf(options);
  const { size, endian, adjustment, maxLength } = shape;
  if (header.length !== shape.header) {
    throw new TcpError("bad-option", `the header has ${header.length} bytes, not ${shape.header}`);
  }
  if (bytes.length > maxLength)
    throw new TcpError("frame-too-long", `${bytes.length} bytes, over ${maxLength}`);
  let length = bytes.length - adjustment;
  if (length < 0 || length >= 256 ** size) {
    throw new TcpError("bad-option", `a length field of ${size} bytes cannot hold ${length}`);
  }
  const field = Buffer.alloc(size);
  for (let index = 0; index < size; index++) {
    field[endian === "big" ? size - 1 - index : index] = length % 256;
    length = Math.floor(length / 256);
  }
  return Buffer.concat([header, field, asBuffer(bytes)]);
}

function shapeOf(options: LengthPrefixOptions): Shape {
  const { size = 4, endian = "big", header = 0, adjustment = 0, maxLength = DEFAULT_MAX_LENGTH } = options;
  if (!Number.isInteger(size) || size < 1 || size > 8) {
    throw new TcpError("bad-option", `a length field has 1 to 8 bytes, not ${size}`);
  }
  return { size, endian, header, adjustment, maxLength };
}
