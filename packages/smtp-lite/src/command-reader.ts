// Commands out of bytes: lines by core's framer, their meaning by command-parser.ts. It knows what a violation is; it knows
// no order of commands and no replies.
import { LineFramer, TcpError } from "@tcpkit/core";
import type { ByteQueue, Line, Span } from "@tcpkit/core";
import { isHttp, parseAuthResponse, parseCommand } from "./command-parser.ts";
import type { Dialect } from "./dialect.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import type { StateName } from "./state.ts";
import { framingError, incomplete, notSmtp } from "./violations.ts";
import type { ReceivedCommand } from "./wire.ts";

/** A line that is no command. */
export interface Violation extends Span {
  readonly type: "violation";
  readonly error: SmtpError;
  /** What it begins with, if that looks like a verb: `"MAIL"`; `""` where it does not. */
  readonly verb: string;
}

/** What a line may have depends on its verb: see `parseCommand`. */
const LINES = { maxLength: GRAMMAR_LIMITS.authLine };

export class CommandReader {
  readonly #queue: ByteQueue;
  #lines: LineFramer;

  constructor(queue: ByteQueue) {
    this.#queue = queue;
    this.#lines = new LineFramer(queue, LINES);
  }

  /** The rest of a line that has begun is no line's end any more. */
  forget(): void {
    this.#lines = new LineFramer(this.#queue, LINES);
  }

  /** The next command; `undefined`: its end has not come. `ended`: nothing more will. */
  take(state: StateName, dialect: Dialect, ended: boolean): ReceivedCommand | Violation | undefined {
    let line: Line | undefined;
    try {
      line = this.#lines.take();
      if (line === undefined) return ended ? this.#cutOff() : undefined;
      const text = line.bytes.toString("latin1");
      if (state === "authenticating") return parseAuthResponse(text, line.start, line.end);
      return parseCommand(text, line.start, line.end, dialect);
    } catch (error) {
      if (error instanceof SmtpError && line !== undefined) {
        const verb = verbOf(line.bytes.toString("latin1", 0, 5));
        return { type: "violation", error, verb, start: line.start, end: line.end };
      }
      if (!(error instanceof TcpError)) throw error;
      return this.#noLine(error, state);
    }
  }

  /** What is queued is the beginning of a line that is none. */
  #noLine(error: TcpError, state: StateName): Violation {
    const start = this.#queue.offset;
    const end = error.offset ?? start;
    const beginning = this.#beginning(end);
    const verb = verbOf(beginning);
    const [word = ""] = beginning.split(" ", 1);
    const http = state !== "authenticating" && isHttp(word);
    const why = http ? notSmtp(start) : framingError(error, state === "authenticating" || verb === "AUTH");
    return { type: "violation", error: why, verb, start, end };
  }

  /** Enough of the line up to this offset to know its verb. */
  #beginning(until: number): string {
    const { buffer, position, offset } = this.#queue;
    return buffer.toString("latin1", position, position + Math.min(until - offset, 8));
  }

  #cutOff(): Violation | undefined {
    const { offset: start, length } = this.#queue;
    if (length === 0) return undefined;
    const end = start + length;
    const verb = verbOf(this.#beginning(end));
    return { type: "violation", error: incomplete("a command"), verb, start, end };
  }
}

/** The verb that a line begins with; `""` where it does not look like one. */
function verbOf(line: string): string {
  return /^[a-z]{4}(?![!-~])/i.exec(line)?.[0].toUpperCase() ?? "";
}
