// A message's content on its way in, by DATA or by BDAT: which bytes are content, how many they are, and what is wrong with
// them. It knows queues and limits; it knows no commands and no replies but those of its problems.
import type { ByteQueue } from "@tcpkit/core";
import { DotDecoder } from "./dot.ts";
import type { SmtpError } from "./errors.ts";
import type { SmtpLimits } from "./limits.ts";
import { contentError, tooBig } from "./violations.ts";

/** What comes behind DATA: content up to CRLF.CRLF (RFC 5321 section 4.1.1.4). */
export class DotContent {
  readonly #decoder: DotDecoder;
  readonly #limit: number;
  /** Bytes of content so far. */
  size = 0;
  /** Why the message has to be refused. What is left of it is read and dropped. */
  problem: SmtpError | undefined;

  constructor(queue: ByteQueue, limits: SmtpLimits, normalize: boolean) {
    this.#decoder = new DotDecoder(queue, limits.textLine, normalize);
    this.#limit = limits.messageSize;
  }

  get ended(): boolean {
    return this.#decoder.ended;
  }

  /** The next piece; `undefined`: the content has `ended`, or more bytes are needed. */
  take(): Buffer | undefined {
    const bytes = this.#decoder.take();
    if (this.#decoder.problem !== undefined) this.problem ??= contentError(this.#decoder.problem);
    if (bytes !== undefined) {
      this.size += bytes.length;
      if (this.size <= this.#limit) return bytes;
      this.problem ??= tooBig(this.#limit);
      this.#decoder.drop();
    }
    if (this.problem !== undefined) this.#decoder.take();
    return undefined;
  }
}

/** What comes behind BDAT: chunks of so many octets, none of them special (RFC 3030 section 2). */
export class ChunkedContent {
  readonly #queue: ByteQueue;
  readonly #limit: number;
  /** Octets of the chunk under way that are still to come. */
  #remaining = 0;
  size = 0;
  problem: SmtpError | undefined;

  /** With a `problem` from the start, nothing is wanted: every octet is counted and dropped. */
  constructor(queue: ByteQueue, limits: SmtpLimits, problem?: SmtpError) {
    this.#queue = queue;
    this.#limit = limits.messageSize;
    this.problem = problem;
  }

  /** A chunk begins. */
  begin(size: number): void {
    this.#remaining = size;
    this.size += size;
    if (this.size > this.#limit) this.problem ??= tooBig(this.#limit);
  }

  /** The chunk under way has come whole. */
  get ended(): boolean {
    return this.#remaining === 0;
  }

  /** The next piece; `undefined`: the chunk has `ended`, or more bytes are needed. */
  take(): Buffer | undefined {
    if (this.problem !== undefined) {
      this.#remaining -= this.#queue.skip(this.#remaining);
      return undefined;
    }
    const bytes = this.#queue.takeSome(this.#remaining);
    this.#remaining -= bytes?.length ?? 0;
    return bytes;
  }
}
