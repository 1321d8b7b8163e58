// The server's side of SMTP without I/O: bytes in, events out, replies in, bytes out. It knows the order of things;
// it knows no sockets, no clock, and no policy: what is accepted is decided by whoever answers the events.
import { ByteQueue } from "@tcpkit/core";
import type { Notice, Session, Span } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { CommandReader } from "./command-reader.ts";
import type { Violation } from "./command-reader.ts";
import { SmtpError } from "./errors.ts";
import type { SmtpLimits } from "./limits.ts";
import { MailData } from "./mail-data.ts";
import { Progress } from "./progress.ts";
import { formatReply } from "./reply.ts";
import { whyUnfit } from "./server-events.ts";
import type { ServerSideOptions, SmtpEvent } from "./server-events.ts";
import type { StateName } from "./state.ts";
import { earlyInput, locate, tooManyErrors } from "./violations.ts";

/** The server's end of one conversation. */
export class ServerSide implements Session<SmtpEvent, Reply> {
  readonly #queue = new ByteQueue();
  readonly #commands: CommandReader;
  readonly #data: MailData;
  readonly #progress: Progress;
  /** The event whose reply is owed. Until then nothing more is read: replies keep the order of their commands. */
  #owed: SmtpEvent | undefined;
  /** Replies that the owed event still needs. */
  #repliesLeft = 1;
  /** The client did not wait: to be reported. */
  #early: SmtpError | undefined;
  /** The bad command that is the last. */
  readonly #mostBadCommands: number;
  #notice: Notice | undefined;
  #ended = false;
  failure: SmtpError | undefined;

  constructor(options: Omit<ServerSideOptions, "limits">, limits: SmtpLimits) {
    const {
      secure = false,
      lmtp = false,
      normalize = false,
      requireTls = false,
      requireAuth = false,
    } = options;
    this.#mostBadCommands = limits.badCommands;
    this.#commands = new CommandReader(this.#queue);
    this.#data = new MailData(this.#queue, limits, normalize);
    this.#progress = new Progress(secure, lmtp, { tls: requireTls, auth: requireAuth });
  }

  get state(): StateName {
    return this.#progress.state;
  }

  get partial(): boolean {
    return this.#queue.length > 0 || this.#data.due;
  }

  get finished(): boolean {
    return this.#progress.state === "closed";
  }

  receive(bytes: Uint8Array): void {
    if (this.failure === undefined && this.#progress.state !== "closed") this.#queue.push(bytes);
  }

  end(): void {
    this.#ended = true;
  }

  notify(notice: Notice): void {
    this.#notice = notice;
  }

  /**
   * TLS begins. Whatever came behind STARTTLS was plain text, and anybody could have put it there (CVE-2021-38371): it is
   * destroyed, half a line too.
   */
  forget(): void {
    this.#queue.skip(Infinity);
    this.#commands.forget();
    this.#progress.secured();
  }

  next(): SmtpEvent | undefined {
    const { state } = this.#progress;
    if (this.#owed !== undefined || state === "closed" || state === "securing") return undefined;
    if (this.#early !== undefined) return this.#reportEarlyInput(this.#early);
    if (state === "opening") return this.#owe({ type: "greeting", start: 0, end: 0 });
    if (this.#notice === "timeout") return this.#owe({ type: "timeout", ...this.#here() });
    if (this.#data.due) return this.#nextOfContent();
    // A message under way may still arrive whole: goodbye is said between messages.
    if (this.#notice === "drain" && state !== "chunks")
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
    else if (event !== undefined) this.#moveOn(event, reply.code);
    return wire;
  }

  /** What is read next follows from the state after a reply. */
  #moveOn(event: SmtpEvent, code: number): void {
    const progress = this.#progress;
    progress.answered(event, code);
    if (progress.state === "closed") this.#close();
    else if (progress.state === "content") this.#data.begin();
    else if (progress.state !== "chunks") this.#data.forget();
  }

  #nextCommand(): SmtpEvent | undefined {
    // Whoever guesses passwords has no more tries than a scanner.
    const progress = this.#progress;
    if (progress.badCommands >= this.#mostBadCommands)
      return this.#error(tooManyErrors(this.#queue.offset), this.#here());
    const command = this.#commands.take(progress.state, progress.standing, this.#ended);
    if (command === undefined) return undefined;
    if (command.type === "violation") return this.#violation(command);
    if (command.type === "auth-response") return this.#owe(command);
    const refusal = progress.misplaced(command.type);
    if (command.type === "bdat") {
      this.#data.beginChunk(command, refusal);
      if (refusal !== undefined) return this.#nextOfContent();
      progress.state = "chunks";
      return command;
    }
    return refusal === undefined
      ? this.#owe(command)
      : this.#error(refusal, command, command.type === "auth");
  }

  #violation(violation: Violation): SmtpEvent {
    const { error, verb } = violation;
    return this.#error(this.#progress.refuses(error, verb) ?? error, violation, verb === "AUTH");
  }

  #nextOfContent(): SmtpEvent | undefined {
    const event = this.#data.next(this.#ended);
    const { standing, recipients } = this.#progress;
    switch (event?.type) {
      case "error":
        return this.#error(event.error, event);
      case "message-end":
        // RFC 2033 section 4.2: in LMTP each recipient hears of its own.
        return this.#owe(event, standing.lmtp ? recipients : 1);
      case "chunk-end":
        return this.#owe(event);
      default:
        return event;
    }
  }

  /** Bytes came before our 220 or 354: the client does not listen, or they are not the client's. */
  #reportEarlyInput(error: SmtpError): SmtpEvent {
    this.#early = undefined;
    const start = this.#queue.offset;
    return this.#error(error, { start, end: start + this.#queue.length });
  }

  #error(error: SmtpError, { start, end }: Span, ofAuth = false): SmtpEvent {
    // A wrong order is no mark of a scanner: whoever pipelines gets one for each command after a refused MAIL.
    if (!error.fatal && error.code !== "bad-sequence") this.#progress.badCommands += 1;
    const last = !error.fatal && this.#progress.badCommands >= this.#mostBadCommands;
    const located = last ? tooManyErrors(start) : locate(error, start);
    if (located.fatal) {
      this.failure = located;
      this.#queue.skip(Infinity);
    }
    const confidential = ofAuth || this.#progress.state === "authenticating";
    return this.#owe({ type: "error", error: located, confidential, start, end });
  }

  /** Nothing more is read until `event` has its reply, or its `replies`. */
  #owe<Event extends SmtpEvent>(event: Event, replies: number = 1): Event {
    this.#owed = event;
    this.#repliesLeft = replies;
    return event;
  }

  #here(): Span {
    const { offset } = this.#queue;
    return { start: offset, end: offset };
  }

  #close(): void {
    this.#progress.state = "closed";
    this.#data.forget();
    this.#queue.skip(Infinity);
  }
}
