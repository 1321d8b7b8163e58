// The content of one message after another, as events: by DATA up to its dot (RFC 5321 section 4.1.1.4), by BDAT chunk by
// chunk (RFC 3030). It knows where content ends, and which event tells of it; it knows no replies and no other commands.
import type { ByteQueue, Span } from "@tcpkit/core";
import { ChunkedContent, DotContent } from "./content.ts";
import type { SmtpError } from "./errors.ts";
import type { SmtpLimits } from "./limits.ts";
import type { SmtpEvent } from "./server-events.ts";
import { incomplete } from "./violations.ts";
import type { ReceivedCommand } from "./wire.ts";

/** The bytes of a piece that is dropped. */
const NOTHING: Buffer = Buffer.alloc(0);

/** A chunk whose octets are coming. */
interface Chunk {
  readonly content: ChunkedContent;
  readonly last: boolean;
  /** Where its command stood. */
  readonly command: Span;
  /** It came out of order, and is read to be refused. */
  readonly refusal: SmtpError | undefined;
}

/** What content is, or comes to. */
export type MailDataEvent = SmtpEvent & { type: "data" | "chunk-end" | "message-end" | "error" };

export class MailData {
  readonly #queue: ByteQueue;
  readonly #limits: SmtpLimits;
  readonly #normalize: boolean;
  /** The message being received by DATA. */
  #content: DotContent | undefined;
  /** The message being received by BDAT, and the chunk that is. */
  #chunks: ChunkedContent | undefined;
  #chunk: Chunk | undefined;

  constructor(queue: ByteQueue, limits: SmtpLimits, normalize: boolean) {
    this.#queue = queue;
    this.#limits = limits;
    this.#normalize = normalize;
  }

  /** What comes next is content, not a command. */
  get due(): boolean {
    return this.#content !== undefined || this.#chunk !== undefined;
  }

  /** After 354: content follows. */
  begin(): void {
    this.#content = new DotContent(this.#queue, this.#limits, this.#normalize);
  }

  /** After BDAT: its octets follow, wanted or not, and the reply comes behind them (RFC 3030 section 2). */
  beginChunk(
    { size, last, start, end }: ReceivedCommand & { type: "bdat" },
    refusal: SmtpError | undefined,
  ): void {
    let content: ChunkedContent;
    if (refusal === undefined) {
      content = this.#chunks ??= new ChunkedContent(this.#queue, this.#limits);
    } else {
      content = new ChunkedContent(this.#queue, this.#limits, refusal);
    }
    content.begin(size);
    this.#chunk = { content, last, command: { start, end }, refusal };
  }

  /** The message is over, or given up. */
  forget(): void {
    this.#content = undefined;
    this.#chunks = undefined;
    this.#chunk = undefined;
  }

  /** The next event; `undefined`: more bytes are needed. `ended`: there will be none. */
  next(ended: boolean): MailDataEvent | undefined {
    if (this.#content !== undefined) return this.#nextContent(this.#content, ended);
    return this.#chunk === undefined ? undefined : this.#nextOfChunk(this.#chunk, ended);
  }

  #nextContent(content: DotContent, cutOff: boolean): MailDataEvent | undefined {
    const start = this.#queue.offset;
    const bytes = content.take();
    const end = this.#queue.offset;
    // The end of the content, a dot and CRLF, has an event of its own.
    const upTo = content.ended ? end - 3 : end;
    if (bytes !== undefined) return { type: "data", bytes, start, end: upTo };
    // What is dropped is told too: the client is at work, not late.
    if (upTo > start) return { type: "data", bytes: NOTHING, start, end: upTo };
    if (content.ended) {
      const { size, problem } = content;
      return { type: "message-end", size, problem, start: end - 3, end };
    }
    if (!cutOff) return undefined;
    return violation(incomplete("a message"), { start: end, end: end + this.#queue.length });
  }

  #nextOfChunk({ content, last, command, refusal }: Chunk, cutOff: boolean): MailDataEvent | undefined {
    const from = this.#queue.offset;
    const bytes = content.take();
    const end = this.#queue.offset;
    if (bytes !== undefined || end > from) return { type: "data", bytes: bytes ?? NOTHING, start: from, end };
    if (!content.ended) return cutOff ? violation(incomplete("a chunk"), { start: end, end }) : undefined;
    this.#chunk = undefined;
    if (refusal !== undefined) return violation(refusal, command);
    const { size, problem } = content;
    return { type: last ? "message-end" : "chunk-end", size, problem, start: end, end };
  }
}

function violation(error: SmtpError, { start, end }: Span): MailDataEvent {
  return { type: "error", error, confidential: false, start, end };
}
