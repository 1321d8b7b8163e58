// The client's side of SMTP without I/O: commands in, bytes out; bytes in, replies out. It knows how a reply is put
// together and what may go into a command; it knows no sockets, and not what to say when.
import { ByteQueue, LineFramer, TcpError } from "@tcpkit/core";
import type { Notice, Output, Session, Span } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { DotEncoder } from "./dot.ts";
import { badArgument, SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import { joinReplyLines, parseReplyLine } from "./reply.ts";
import { formatCommand } from "./wire.ts";
import type { Command } from "./wire.ts";

/** What a client sends: a command, a piece of content, or the content's end. */
export type ClientCommand =
  | Command
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** BDAT with its octets, which go out as they are (RFC 3030). */
  | { readonly type: "chunk"; readonly bytes: Uint8Array; readonly last: boolean }
  | { readonly type: "message-end" };

/** Pieces of content up to this many bytes are worth a copy. */
const JOINED = 16_384;

const ASCII_LINE = /^[ -~]*\r\n$/;
/** As bytes, one a character. */
const UTF8_LINE = /^[ -~\x80-\xff]*\r\n$/;

/** What a client hears. */
export type SmtpClientEvent =
  | ({ readonly type: "reply"; readonly reply: Reply } & Span)
  | ({ readonly type: "error"; readonly error: SmtpError } & Span);

/** The client's end of one conversation. Several commands given to one `send` leave together (RFC 2920). */
export class ClientSide implements Session<SmtpClientEvent, ClientCommand | readonly ClientCommand[]> {
  readonly #queue = new ByteQueue();
  #lines: LineFramer = this.#newLines();
  #content: DotEncoder | undefined;
  /** The message under way is SMTPUTF8. */
  #utf8 = false;
  /** The lines of a reply that has begun. */
  #texts: string[] = [];
  #code = 0;
  #start = 0;
  #ended = false;
  #late = false;
  failure: SmtpError | undefined;

  get state(): string {
    return this.#content === undefined ? "commands" : "content";
  }

  get partial(): boolean {
    return this.#queue.length > 0 || this.#texts.length > 0;
  }

  get finished(): boolean {
    return this.failure !== undefined;
  }

  receive(bytes: Uint8Array): void {
    if (this.failure === undefined) this.#queue.push(bytes);
  }

  end(): void {
    this.#ended = true;
  }

  /** A deadline has passed: it is over now, not when the connection is gone, for which the server may take its time. */
  notify(notice: Notice): void {
    if (notice === "timeout") this.#late = true;
  }

  /** TLS begins: what came behind the go-ahead was plain text, and is destroyed (RFC 3207 section 6). */
  forget(): void {
    this.#queue.skip(Infinity);
    this.#lines = this.#newLines();
    this.#texts = [];
  }

  next(): SmtpClientEvent | undefined {
    if (this.#late && this.failure === undefined) {
      const late = new SmtpError("timeout", "the server took too long to reply", { fatal: true });
      return this.#fail(late, this.#queue.offset);
    }
    while (this.failure === undefined) {
      const start = this.#queue.offset;
      try {
        const line = this.#lines.take();
        if (line === undefined) break;
        if (this.#texts.length === 0) this.#start = start;
        const reply = this.#line(line.bytes.toString("latin1"), line.start);
        if (reply !== undefined) return { type: "reply", reply, start: this.#start, end: line.end };
      } catch (error) {
        if (error instanceof TcpError)
          return this.#fail(badServerReply(error.message, error.offset ?? start), start);
        if (error instanceof SmtpError) return this.#fail(error, start);
        throw error;
      }
    }
    if (!this.#ended || !this.partial || this.failure !== undefined) return undefined;
    const { offset } = this.#queue;
    return this.#fail(
      new SmtpError("incomplete", "the server's side ended inside a reply", { offset }),
      offset,
    );
  }

  /**
   * The bytes of commands or content.
   * @throws SmtpError `bad-argument` before a byte is made, when a CR, an LF or anything else that is not printable
   * ASCII stands in a command, when content has a CR or LF that is not part of CRLF, or is not due.
   */
  send(commands: ClientCommand | readonly ClientCommand[]): Output {
    return "type" in commands ? this.#format(commands) : commands.flatMap((command) => this.#format(command));
  }

  #format(command: ClientCommand): string | Uint8Array | (string | Uint8Array)[] {
    switch (command.type) {
      case "chunk": {
        const { bytes, last } = command;
        return [formatCommand({ type: "bdat", size: bytes.length, last }), bytes];
      }
      case "data":
      case "message-end": {
        if (this.#content === undefined) throw badArgument("content without DATA before it");
        const bytes = command.type === "data" ? this.#content.encode(command.bytes) : this.#content.end();
        if (bytes === undefined) throw badArgument("the content has a CR or LF that is not part of CRLF");
        if (command.type === "message-end") this.#content = undefined;
        // A short one as text: it leaves with its neighbours by one plain write.
        return bytes instanceof Buffer && bytes.length <= JOINED ? bytes.toString("latin1") : bytes;
      }
      default: {
        const line = formatCommand(command);
        // Whatever got into the command's strings: it is one line, and no second command hides in it.
        if (command.type === "mail") this.#utf8 = command.utf8;
        const utf8 = this.#utf8 && (command.type === "mail" || command.type === "rcpt");
        if (!(utf8 ? UTF8_LINE : ASCII_LINE).test(line))
          throw badArgument(`not printable ASCII in a command: ${JSON.stringify(line)}`);
        if (command.type === "message") this.#content = new DotEncoder();
        return line;
      }
    }
  }

  /** Adds one line; gives the reply when that was its last. */
  #line(text: string, offset: number): Reply | undefined {
    const line = parseReplyLine(text);
    if (line === undefined) throw badServerReply("the server's line is no reply", offset);
    if (this.#texts.length > 0 && line.code !== this.#code) {
      throw badServerReply("one reply has two codes", offset);
    }
    if (this.#texts.length >= GRAMMAR_LIMITS.replyLines)
      throw badServerReply("a reply without an end", offset);
    this.#code = line.code;
    this.#texts.push(line.text);
    const [first, ...rest] = this.#texts;
    if (!line.last || first === undefined) return undefined;
    this.#texts = [];
    return joinReplyLines(line.code, [first, ...rest]);
  }

  #newLines(): LineFramer {
    return new LineFramer(this.#queue, { maxLength: GRAMMAR_LIMITS.replyLine });
  }

  #fail(error: SmtpError, start: number): SmtpClientEvent {
    this.failure = error;
    return { type: "error", error, start, end: Math.max(start, error.offset ?? start) };
  }
}

function badServerReply(message: string, offset: number): SmtpError {
  return new SmtpError("bad-server-reply", message, { offset, fatal: true });
}
