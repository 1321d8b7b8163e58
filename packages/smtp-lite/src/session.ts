// The server's side of SMTP without I/O: bytes in, events out, replies in, bytes out. It knows the order of things;
// it knows no sockets, no clock, and no policy: what is accepted is decided by whoever answers the events.
import { ByteQueue, LineFramer, TcpError } from "@tcpkit/core";
import type { Line, Notice, Session, Span } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { DotDecoder } from "./dot.ts";
import { SmtpError } from "./errors.ts";
import { DEFAULT_LIMITS, GRAMMAR_LIMITS } from "./limits.ts";
import type { SmtpLimits } from "./limits.ts";
import { formatReply, replies } from "./reply.ts";
import { stateAfter } from "./state.ts";
import type { StateName } from "./state.ts";
import {
  badSequence,
  contentError,
  earlyInput,
  framingError,
  incomplete,
  locate,
  tooBig,
  tooManyErrors,
} from "./violations.ts";
import { parseCommand } from "./wire.ts";
import type { ReceivedCommand } from "./wire.ts";

/** What a session reports. Every event but `data` is answered by exactly one reply. */
export type SmtpEvent =
  /** The connection is open: answer 220, or 554 or 421 to turn it away. */
  | ({ readonly type: "greeting" } & Span)
  | ReceivedCommand
  /** A piece of a message, dots taken off. It is answered by nothing. */
  | ({ readonly type: "data"; readonly bytes: Buffer } & Span)
  /** The message has ended. With a `problem` it must be refused, by the problem's reply. */
  | ({ readonly type: "message-end"; readonly size: number; readonly problem: SmtpError | undefined } & Span)
  /** The client took too long: answer 421. */
  | ({ readonly type: "timeout" } & Span)
  /** The server is going down: answer 421. */
  | ({ readonly type: "shutdown" } & Span)
  /** The client broke the rules: answer `error.reply`. */
  | ({ readonly type: "error"; readonly error: SmtpError } & Span);

/** The server's end of one conversation, for Node's sockets, tests, replay or an inspector alike. */
export class SmtpSession implements Session<SmtpEvent, Reply> {
  readonly #limits: SmtpLimits;
  readonly #queue = new ByteQueue();
  readonly #lines: LineFramer;
  #state: StateName = "opening";
  /** The client said EHLO, so extensions are in force. */
  #extended = false;
  /** The event whose reply is owed. Until then nothing more is read: replies keep the order of their commands. */
  #owed: SmtpEvent | undefined;
  /** The message being received. */
  #content: DotDecoder | undefined;
  #size = 0;
  #problem: SmtpError | undefined;
  #badCommands = 0;
  #notice: Notice | undefined;
  #ended = false;
  failure: SmtpError | undefined;

  constructor(limits: Partial<SmtpLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#lines = new LineFramer(this.#queue, {
      maxLength: GRAMMAR_LIMITS.commandLine + GRAMMAR_LIMITS.mailExtra,
    });
  }

  get state(): StateName {
    return this.#state;
  }

  get partial(): boolean {
    return this.#queue.length > 0 || this.#content !== undefined;
  }

  get finished(): boolean {
    return this.#state === "closed";
  }

  receive(bytes: Uint8Array): void {
    if (this.failure === undefined && this.#state !== "closed") this.#queue.push(bytes);
  }

  end(): void {
    this.#ended = true;
  }

  notify(notice: Notice): void {
    this.#notice = notice;
  }

  next(): SmtpEvent | undefined {
    if (this.#owed !== undefined || this.#state === "closed") return undefined;
    if (this.#state === "opening") return this.#owe({ type: "greeting", start: 0, end: 0 });
    if (this.#notice === "timeout") return this.#owe({ type: "timeout", ...this.#here() });
    if (this.#content !== undefined) return this.#nextContent(this.#content);
    // A message under way may still arrive whole: goodbye is said between messages.
    if (this.#notice === "drain") return this.#owe({ type: "shutdown", ...this.#here() });
    return this.#nextCommand();
  }

  /**
   * The bytes of the reply to the event at hand; only 421 may come unasked (RFC 5321 section 3.8).
   * @throws SmtpError `bad-reply` when the reply does not fit the event, or could not be sent as it is.
   */
  send(reply: Reply): string {
    const event = this.#owed;
    const wire = formatReply(reply);
    const misfit = whyUnfit(event?.type, reply.code);
    if (misfit !== undefined) {
      throw new SmtpError("bad-reply", `reply ${reply.code} does not fit: ${misfit}`, { blame: "local" });
    }
    const positive = reply.code < 400;
    const mustWait = event?.type === "message" || event?.type === "greeting";
    if (mustWait && positive && this.#queue.length > 0) return this.#refuseEarlyInput();
    this.#owed = undefined;
    if (reply.code === 421 || this.failure !== undefined) this.#close();
    else if (event !== undefined) this.#move(event, positive);
    return wire;
  }

  /** The state after a reply. */
  #move(event: SmtpEvent, positive: boolean): void {
    switch (event.type) {
      case "greeting":
        this.#state = positive ? "greeted" : "unwelcome";
        return;
      case "data":
      case "error":
      case "timeout":
      case "shutdown":
        return;
      case "message-end":
        if (positive) this.#badCommands = 0;
        this.#content = undefined;
        this.#state = "ready";
        return;
      case "message":
        if (positive) this.#beginContent();
        else this.#state = "ready";
        return;
      default:
        if (!positive) return;
        if (event.type === "ehlo" || event.type === "helo") this.#extended = event.type === "ehlo";
        this.#state = stateAfter(this.#state, event.type) ?? this.#state;
        if (this.#state === "closed") this.#close();
    }
  }

  #nextCommand(): SmtpEvent | undefined {
    const start = this.#queue.offset;
    let line: Line | undefined;
    try {
      line = this.#lines.take();
      if (line === undefined) {
        const cutOff = this.#ended && this.#queue.length > 0;
        return cutOff
          ? this.#error(incomplete("a command"), { start, end: start + this.#queue.length })
          : undefined;
      }
      const command = parseCommand(line.bytes.toString("latin1"), line.start, line.end, this.#extended);
      if (stateAfter(this.#state, command.type) === undefined) throw badSequence(this.#state, command.type);
      return this.#owe(command);
    } catch (error) {
      if (error instanceof SmtpError && line !== undefined) return this.#error(error, line);
      if (error instanceof TcpError)
        return this.#error(framingError(error), { start, end: error.offset ?? start });
      throw error;
    }
  }

  #beginContent(): void {
    this.#state = "content";
    this.#content = new DotDecoder(this.#queue, this.#limits.textLine);
    this.#size = 0;
    this.#problem = undefined;
  }

  #nextContent(content: DotDecoder): SmtpEvent | undefined {
    const start = this.#queue.offset;
    const bytes = content.take();
    if (content.problem !== undefined) this.#problem ??= contentError(content.problem);
    if (bytes !== undefined) {
      this.#size += bytes.length;
      // The end of the content, a dot and CRLF, has an event of its own.
      const end = content.ended ? this.#queue.offset - 3 : this.#queue.offset;
      if (this.#size <= this.#limits.messageSize) return { type: "data", bytes, start, end };
      this.#problem ??= tooBig(this.#limits.messageSize);
      content.drop();
    }
    if (this.#problem !== undefined) content.take();
    const end = this.#queue.offset;
    if (content.ended) {
      return this.#owe({
        type: "message-end",
        size: this.#size,
        problem: this.#problem,
        start: end - 3,
        end,
      });
    }
    if (!this.#ended) return undefined;
    return this.#error(incomplete("a message"), { start: end, end: end + this.#queue.length });
  }

  /** Bytes came before our 220 or 354: the client does not listen, or they are not the client's. */
  #refuseEarlyInput(): string {
    this.failure = earlyInput(this.#queue.offset);
    this.#close();
    return formatReply(this.failure.reply ?? replies.localError);
  }

  #error(error: SmtpError, { start, end }: Span): SmtpEvent {
    // A wrong order is no mark of a scanner: whoever pipelines gets one for each command after a refused MAIL.
    if (!error.fatal && error.code !== "bad-sequence") this.#badCommands += 1;
    const last = !error.fatal && this.#badCommands >= this.#limits.badCommands;
    const located = last ? tooManyErrors(start) : locate(error, start);
    if (located.fatal) {
      this.failure = located;
      this.#queue.skip(Infinity);
    }
    return this.#owe({ type: "error", error: located, start, end });
  }

  #owe<Event extends SmtpEvent>(event: Event): Event {
    this.#owed = event;
    return event;
  }

  #here(): Span {
    const { offset } = this.#queue;
    return { start: offset, end: offset };
  }

  #close(): void {
    this.#state = "closed";
    this.#content = undefined;
    this.#queue.skip(Infinity);
  }
}

/** Why this reply cannot answer this event; `undefined` when it can. */
function whyUnfit(event: SmtpEvent["type"] | undefined, code: number): string | undefined {
  // RFC 5321 section 3.8: a server that must go may say so at any time.
  if (code === 421) return undefined;
  if (event === undefined) return "nothing is to be answered";
  if (event === "timeout" || event === "shutdown") return `${event} is answered by 421`;
  const positive = code < 400;
  if (positive && (code === 354) !== (event === "message"))
    return "of 2xx and 3xx, 354 alone answers DATA, and DATA alone";
  return undefined;
}
