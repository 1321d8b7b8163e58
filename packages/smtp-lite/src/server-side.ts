// The server's side of SMTP without I/O: bytes in, events out, replies in, bytes out. It knows the order of things;
// it knows no sockets, no clock, and no policy: what is accepted is decided by whoever answers the events.
import { ByteQueue, LineFramer, TcpError } from "@tcpkit/core";
import type { Line, Notice, Session, Span } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { ChunkedContent, DotContent } from "./content.ts";
import { SmtpError } from "./errors.ts";
import { DEFAULT_LIMITS, GRAMMAR_LIMITS } from "./limits.ts";
import type { SmtpLimits } from "./limits.ts";
import { misplaced } from "./order.ts";
import type { Standing } from "./order.ts";
import { formatReply } from "./reply.ts";
import { whyUnfit } from "./server-events.ts";
import type { ServerSideOptions, SmtpEvent } from "./server-events.ts";
import { stateAfter } from "./state.ts";
import type { StateName } from "./state.ts";
import { earlyInput, framingError, incomplete, locate, tooManyErrors } from "./violations.ts";
import { parseAuthResponse, parseCommand } from "./wire.ts";
import type { ReceivedCommand } from "./wire.ts";

/** A chunk whose octets are coming. */
interface Chunk {
  readonly content: ChunkedContent;
  readonly last: boolean;
  /** Where its command began. */
  readonly start: number;
  /** It came out of order, and is read to be refused. */
  readonly refusal: SmtpError | undefined;
}

/** A client that has said nothing yet. */
const NEWCOMER: Standing = {
  extended: false,
  secure: false,
  lmtp: false,
  utf8: false,
  authenticated: false,
  binary: false,
};

/** The server's end of one conversation. */
export class ServerSide implements Session<SmtpEvent, Reply> {
  readonly #limits: SmtpLimits;
  readonly #queue = new ByteQueue();
  #lines: LineFramer;
  #state: StateName = "opening";
  #standing: Standing;
  /** The event whose reply is owed. Until then nothing more is read: replies keep the order of their commands. */
  #owed: SmtpEvent | undefined;
  /** The message being received by DATA. */
  #content: DotContent | undefined;
  /** The message being received by BDAT, and the chunk that is. */
  #chunks: ChunkedContent | undefined;
  #chunk: Chunk | undefined;
  readonly #normalize: boolean;
  /** Accepted for the message under way. */
  #recipients = 0;
  /** Replies that the owed event still needs. */
  #repliesLeft = 1;
  /** The client did not wait: to be reported. */
  #early: SmtpError | undefined;
  #badCommands = 0;
  #notice: Notice | undefined;
  #ended = false;
  failure: SmtpError | undefined;

  constructor({ limits, secure = false, lmtp = false, normalize = false }: ServerSideOptions = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#standing = { ...NEWCOMER, secure, lmtp };
    this.#normalize = normalize;
    this.#lines = this.#newLines();
  }

  get state(): StateName {
    return this.#state;
  }

  get partial(): boolean {
    return this.#queue.length > 0 || this.#content !== undefined || this.#chunk !== undefined;
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

  /**
   * TLS begins. Whatever came behind STARTTLS was plain text, and anybody could have put it there (CVE-2021-38371): it is
   * destroyed, half a line too. And nothing that the client said before counts any more (RFC 3207 section 4.2).
   */
  forget(): void {
    this.#queue.skip(Infinity);
    this.#lines = this.#newLines();
    this.#standing = { ...NEWCOMER, secure: true, lmtp: this.#standing.lmtp };
    this.#state = stateAfter(this.#state, "secured") ?? this.#state;
  }

  next(): SmtpEvent | undefined {
    if (this.#owed !== undefined || this.#state === "closed" || this.#state === "securing") return undefined;
    if (this.#early !== undefined) return this.#reportEarlyInput(this.#early);
    if (this.#state === "opening") return this.#owe({ type: "greeting", start: 0, end: 0 });
    if (this.#notice === "timeout") return this.#owe({ type: "timeout", ...this.#here() });
    if (this.#content !== undefined) return this.#nextContent(this.#content);
    if (this.#chunk !== undefined) return this.#nextOfChunk(this.#chunk);
    // A message under way may still arrive whole: goodbye is said between messages.
    if (this.#notice === "drain" && this.#state !== "chunks")
      return this.#owe({ type: "shutdown", ...this.#here() });
    return this.#nextCommand();
  }

  /**
   * The bytes of the reply to the event at hand; only 421 may come unasked (RFC 5321 section 3.8). None at all for a 220 or
   * 354 that the client did not wait for: an `error` event follows instead.
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
    const ends = reply.code === 421 || this.failure !== undefined;
    if (mustWait && positive && this.#queue.length > 0) {
      this.#early = earlyInput(this.#queue.offset);
      this.#owed = undefined;
      return "";
    }
    this.#repliesLeft -= 1;
    if (this.#repliesLeft > 0 && !ends) return wire;
    this.#owed = undefined;
    if (ends) this.#close();
    else if (event !== undefined) this.#move(event, reply.code);
    return wire;
  }

  /** The state after a reply. */
  #move(event: SmtpEvent, code: number): void {
    const positive = code < 400;
    switch (event.type) {
      case "greeting":
        this.#state = positive ? "greeted" : "unwelcome";
        return;
      case "error":
        // A line that is none ends an AUTH exchange (RFC 4954 section 4).
        if (this.#state === "authenticating") this.#state = "ready";
        return;
      case "auth":
      case "auth-response":
        if (code === 235) this.#standing = { ...this.#standing, authenticated: true };
        if (code === 535) this.#badCommands += 1;
        this.#state =
          stateAfter("authenticating", code === 334 ? "auth-response" : "authenticated") ?? "ready";
        return;
      case "data":
      case "bdat":
      case "timeout":
      case "shutdown":
        return;
      case "chunk-end":
        if (!positive) this.#endMessage();
        return;
      case "message-end":
        if (positive) this.#badCommands = 0;
        this.#endMessage();
        return;
      case "message":
        if (positive) this.#beginContent();
        else this.#state = "ready";
        return;
      default:
        if (!positive) return;
        if (event.type === "ehlo" || event.type === "helo" || event.type === "lhlo")
          this.#standing = { ...this.#standing, extended: event.type !== "helo" };
        if (event.type === "mail") this.#onMail(event);
        if (event.type === "rcpt") this.#recipients += 1;
        this.#state = stateAfter(this.#state, event.type) ?? this.#state;
        if (this.#state !== "chunks") this.#chunks = undefined;
        if (this.#state === "closed") this.#close();
    }
  }

  #onMail({ body, utf8 }: ReceivedCommand & { type: "mail" }): void {
    this.#recipients = 0;
    const binary = body === "BINARYMIME";
    // Hardly ever: most messages are neither.
    if (utf8 !== this.#standing.utf8 || binary !== this.#standing.binary)
      this.#standing = { ...this.#standing, utf8, binary };
  }

  #nextCommand(): SmtpEvent | undefined {
    const start = this.#queue.offset;
    // Whoever guesses passwords has no more tries than a scanner.
    if (this.#badCommands >= this.#limits.badCommands) return this.#error(tooManyErrors(start), this.#here());
    let line: Line | undefined;
    try {
      line = this.#lines.take();
      if (line === undefined) {
        const cutOff = this.#ended && this.#queue.length > 0;
        return cutOff
          ? this.#error(incomplete("a command"), { start, end: start + this.#queue.length })
          : undefined;
      }
      const text = line.bytes.toString("latin1");
      if (this.#state === "authenticating") return this.#owe(parseAuthResponse(text, line.start, line.end));
      const command = parseCommand(text, line.start, line.end, this.#standing);
      const refusal = misplaced(command.type, this.#state, this.#standing);
      if (command.type === "bdat") return this.#beginChunk(command, refusal);
      if (refusal !== undefined) throw refusal;
      return this.#owe(command);
    } catch (error) {
      if (error instanceof SmtpError && line !== undefined) {
        return this.#error(error, line, /^auth /i.test(line.bytes.toString("latin1", 0, 5)));
      }
      if (error instanceof TcpError)
        return this.#error(framingError(error, this.#state), { start, end: error.offset ?? start });
      throw error;
    }
  }

  #newLines(): LineFramer {
    // What a line may have depends on its verb: see `parseCommand`.
    return new LineFramer(this.#queue, { maxLength: GRAMMAR_LIMITS.authLine });
  }

  #beginContent(): void {
    this.#state = "content";
    this.#content = new DotContent(this.#queue, this.#limits, this.#normalize);
  }

  /** Its octets follow, wanted or not: the reply comes behind them (RFC 3030 section 2). */
  #beginChunk(
    command: ReceivedCommand & { type: "bdat" },
    refusal: SmtpError | undefined,
  ): SmtpEvent | undefined {
    const { size, last, start } = command;
    if (refusal === undefined) {
      this.#state = "chunks";
      this.#chunks ??= new ChunkedContent(this.#queue, this.#limits);
      this.#chunk = { content: this.#chunks, last, start, refusal };
    } else {
      this.#chunk = { content: new ChunkedContent(this.#queue, this.#limits, refusal), last, start, refusal };
    }
    this.#chunk.content.begin(size);
    return refusal === undefined ? command : this.#nextOfChunk(this.#chunk);
  }

  #nextOfChunk({ content, last, start, refusal }: Chunk): SmtpEvent | undefined {
    const from = this.#queue.offset;
    const bytes = content.take();
    if (bytes !== undefined) return { type: "data", bytes, start: from, end: this.#queue.offset };
    const here = this.#here();
    if (!content.ended) return this.#ended ? this.#error(incomplete("a chunk"), here) : undefined;
    this.#chunk = undefined;
    if (refusal !== undefined) return this.#error(refusal, { start, end: here.end });
    const { size, problem } = content;
    if (last) return this.#oweMessageEnd({ type: "message-end", size, problem, ...here });
    return this.#owe({ type: "chunk-end", size, problem, ...here });
  }

  #endMessage(): void {
    this.#content = undefined;
    this.#chunks = undefined;
    this.#state = "ready";
  }

  #nextContent(content: DotContent): SmtpEvent | undefined {
    const start = this.#queue.offset;
    const bytes = content.take();
    const end = this.#queue.offset;
    // The end of the content, a dot and CRLF, has an event of its own.
    if (bytes !== undefined) return { type: "data", bytes, start, end: content.ended ? end - 3 : end };
    if (content.ended) {
      const { size, problem } = content;
      return this.#oweMessageEnd({ type: "message-end", size, problem, start: end - 3, end });
    }
    if (!this.#ended) return undefined;
    return this.#error(incomplete("a message"), { start: end, end: end + this.#queue.length });
  }

  /** Bytes came before our 220 or 354: the client does not listen, or they are not the client's. */
  #reportEarlyInput(error: SmtpError): SmtpEvent {
    this.#early = undefined;
    const start = this.#queue.offset;
    return this.#error(error, { start, end: start + this.#queue.length });
  }

  #error(error: SmtpError, { start, end }: Span, ofAuth = false): SmtpEvent {
    // A wrong order is no mark of a scanner: whoever pipelines gets one for each command after a refused MAIL.
    if (!error.fatal && error.code !== "bad-sequence") this.#badCommands += 1;
    const last = !error.fatal && this.#badCommands >= this.#limits.badCommands;
    const located = last ? tooManyErrors(start) : locate(error, start);
    if (located.fatal) {
      this.failure = located;
      this.#queue.skip(Infinity);
    }
    const confidential = ofAuth || this.#state === "authenticating";
    return this.#owe({ type: "error", error: located, confidential, start, end });
  }

  #owe<Event extends SmtpEvent>(event: Event): Event {
    this.#owed = event;
    this.#repliesLeft = 1;
    return event;
  }

  /** RFC 2033 section 4.2: in LMTP each recipient hears of its own. */
  #oweMessageEnd(event: SmtpEvent & { type: "message-end" }): SmtpEvent {
    this.#owed = event;
    this.#repliesLeft = this.#standing.lmtp ? this.#recipients : 1;
    return event;
  }

  #here(): Span {
    const { offset } = this.#queue;
    return { start: offset, end: offset };
  }

  #close(): void {
    this.#state = "closed";
    this.#content = undefined;
    this.#chunk = undefined;
    this.#queue.skip(Infinity);
  }
}
