// A protocol of lines, ready to serve: the shortest way from an idea to a server of one's own.
import { ByteQueue, utf8 } from "./bytes.ts";
import { LineFramer } from "./framing/lines.ts";
import type { LineOptions } from "./framing/lines.ts";
import { TcpError } from "./errors.ts";
import type { Protocol, Session, Span } from "./protocol.ts";

/** One line as text (UTF-8), without its ending. */
export interface LineEvent extends Span {
  readonly type: "line";
  readonly text: string;
}

class LineSession implements Session<LineEvent, string> {
  readonly state = "open";
  finished = false;
  failure: Error | undefined;
  readonly #queue = new ByteQueue();
  readonly #options: LineOptions;
  #framer: LineFramer;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#framer = new LineFramer(this.#queue, options);
  }

  get partial(): boolean {
    return this.#queue.length > 0;
  }

  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): LineEvent | undefined {
    try {
      const line = this.#framer.take();
      if (line === undefined) return undefined;
      return { type: "line", text: line.bytes.toString("utf8"), start: line.start, end: line.end };
    } catch (error) {
      if (!(error instanceof TcpError)) throw error;
      this.failure = error;
      this.finished = true;
      return undefined;
    }
  }

  /** A reply is one line; its CRLF is added here. */
  send(reply: string): string | Uint8Array {
    return utf8(`${reply}\r\n`);
  }

  forget(): void {
    this.#queue.skip(this.#queue.length);
    this.#framer = new LineFramer(this.#queue, this.#options);
  }

  rest(): Uint8Array {
    return this.#queue.takeSome() ?? new Uint8Array();
  }

  end(): void {
    // A last line without an ending is not a line (nobody knows whether it was whole): it is dropped.
  }
}

/** A protocol of lines in UTF-8. Lines end by LF or CRLF unless `options` say otherwise, so that `nc` can speak it. */
export function lines(options: LineOptions = {}): Protocol<LineEvent, string> {
  return { name: "lines", session: () => new LineSession({ ending: "lf", ...options }) };
}

/** `lines()` with its defaults. */
export const lineProtocol: Protocol<LineEvent, string> = lines();
