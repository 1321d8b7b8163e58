// Lines out of bytes, by pull. It knows what ends a line; it does not know what a line means.
import type { ByteQueue } from "../bytes.ts";
import { TcpError } from "../errors.ts";
import type { Frame, Framer } from "./frame.ts";

/** One line without its ending; `start` and `end` are absolute offsets and take the ending in. */
export type Line = Frame;

export interface LineOptions {
  /** Longest line, in bytes, its ending included. Default: 8192. */
  readonly maxLength?: number;
  /**
   * What ends a line. `"crlf"` is strict: a CR or LF that is not part of CRLF is an error. `"lf"` takes LF or
   * CRLF, for protocols that people type by hand. Default: `"crlf"`.
   */
  readonly ending?: "crlf" | "lf";
}

const CR = 13;
const LF = 10;

/**
 * Takes lines out of a queue. It remembers how far it has searched, so a line that arrives byte by byte costs
 * linear time, and where a line is too long it drops the rest of it as it arrives, so memory stays bounded.
 */
export class LineFramer implements Framer {
  readonly #queue: ByteQueue;
  readonly #maxLength: number;
  readonly #lenient: boolean;
  /** Bytes of the current line already searched. */
  #searched = 0;
  /** Inside a line that was too long: everything up to its end is dropped. */
  #skipping = false;

  constructor(queue: ByteQueue, options: LineOptions = {}) {
    this.#queue = queue;
    this.#maxLength = options.maxLength ?? 8192;
    this.#lenient = options.ending === "lf";
    if (!(this.#maxLength >= 2)) {
      throw new TcpError("bad-option", `maxLength must be at least 2 bytes, not ${this.#maxLength}`);
    }
  }

  /** True inside a line that was too long. */
  get skipping(): boolean {
    return this.#skipping;
  }

  /**
   * The next line, or `undefined` while its end has not arrived.
   * @throws TcpError `line-too-long` (call again to go on with the line after it), or in strict mode `bare-lf`
   * and `bare-cr`, after which there is no telling where a line begins: stop.
   */
  take(): Line | undefined {
    const queue = this.#queue;
    if (this.#skipping && !this.#skip()) return undefined;
    const limit = Math.min(queue.length, this.#maxLength);
    const { buffer, position } = queue;
    for (let index = this.#searched; index < limit; index++) {
      const byte = buffer[position + index];
      if (byte === LF) {
        const afterCr = index > 0 && buffer[position + index - 1] === CR;
        if (!afterCr && !this.#lenient) throw this.#bare("bare-lf", "LF without CR", index);
        return this.#cut(index + 1, afterCr ? 2 : 1);
      }
      if (index > 0 && !this.#lenient && buffer[position + index - 1] === CR) {
        throw this.#bare("bare-cr", "CR without LF", index - 1);
      }
    }
    this.#searched = limit;
    if (limit < this.#maxLength) return undefined;
    const offset = queue.offset + this.#maxLength;
    this.#skipping = true;
    throw new TcpError("line-too-long", `no line end within ${this.#maxLength} bytes, at offset ${offset}`, {
      blame: "remote",
      offset,
    });
  }

  #cut(length: number, ending: number): Line {
    const queue = this.#queue;
    const start = queue.offset;
    const bytes = queue.buffer.subarray(queue.position, queue.position + length - ending);
    queue.skip(length);
    this.#searched = 0;
    return { bytes, start, end: start + length };
  }

  /** Drops bytes up to the line's end; false when that has not arrived. */
  #skip(): boolean {
    const queue = this.#queue;
    const { buffer, position, end } = queue;
    for (let index = position; ; index++) {
      index = buffer.indexOf(LF, index);
      if (index < 0 || index >= end) break;
      if (this.#lenient || (index > position && buffer[index - 1] === CR)) {
        queue.skip(index + 1 - position);
        this.#searched = 0;
        this.#skipping = false;
        return true;
      }
    }
    // A CR at the very end may be half of the ending: keep it.
    const keep = end > position && buffer[end - 1] === CR ? 1 : 0;
    queue.skip(end - position - keep);
    return false;
  }

  #bare(code: "bare-lf" | "bare-cr", what: string, index: number): TcpError {
    const offset = this.#queue.offset + index;
    return new TcpError(code, `${what} in a line, at offset ${offset}`, { blame: "remote", offset });
  }
}
