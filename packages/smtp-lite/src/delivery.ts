// One message on its way over a connection: which reply answers what, and what became of it. It knows the order of RFC 5321
// section 3.3 and RFC 3030; it knows nothing of the messages before and after.
import type { ClientCommand } from "./client-side.ts";
import type { Reply } from "./codes.ts";
import { refused } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { SmtpError } from "./errors.ts";
import { LineCheck } from "./line-check.ts";
import { badContent } from "./outgoing-mail.ts";
import type { Content } from "./outgoing-mail.ts";
import type { MailParameters, Recipient } from "./parameters.ts";
import type { RefusedRecipient, SendAttempt, SendMailResult } from "./send-result.ts";
import type { Path } from "./address.ts";

const RESET: ClientCommand = { type: "rset" };
const DATA: ClientCommand = { type: "message" };
const END: ClientCommand = { type: "message-end" };
const CRLF = Buffer.from("\r\n");
const NOTHING = Buffer.alloc(0);

/** What is to be sent, and how. */
export interface Shipment extends MailParameters {
  readonly from: Path | null;
  readonly to: readonly Recipient[];
  readonly content: Content;
  /** Several commands may be sent before the first is answered (RFC 2920). */
  readonly pipelining: boolean;
  /** The content goes by BDAT. */
  readonly chunked: boolean;
  /** There is a reply to the content for each recipient (RFC 2033 section 4.2). */
  readonly lmtp: boolean;
}

type Step =
  /** Its turn has not come. */
  | "waiting"
  /** Replies to RSET, MAIL, RCPT and DATA are awaited. */
  | "envelope"
  /** The content is on its way, piece by piece. */
  | "content"
  /** All is sent; the last replies are awaited. */
  | "sent"
  | "over";

export class Delivery {
  readonly result: Promise<SendMailResult>;
  readonly #resolve: (result: SendMailResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #conversation: Conversation;
  readonly #shipment: Shipment;
  /** Something changed beside a reply. */
  readonly #changed: () => void;
  #step: Step = "waiting";
  #commands: readonly ClientCommand[] = [];
  /** The command whose reply is next. */
  #at = 0;
  /** Replies to content that are still to come. */
  #unanswered = 0;
  /** How many of those are verdicts on the message: the last ones. */
  #verdicts = 0;
  #accepted: string[] = [];
  readonly #refused: RefusedRecipient[] = [];
  /** Why it will not be delivered, known before the last reply. */
  #problem: unknown;
  #answered: (() => void) | undefined;

  constructor(conversation: Conversation, shipment: Shipment, changed: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<SendMailResult>();
    this.result = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#conversation = conversation;
    this.#shipment = shipment;
    this.#changed = changed;
  }

  /** The server may hold a rest of it: RSET has to come before the next one. */
  unclean = false;

  get over(): boolean {
    return this.#step === "over";
  }

  /** The next message's commands may leave. */
  get makesRoom(): boolean {
    return this.#step === "over" || (this.#step === "sent" && this.#shipment.pipelining);
  }

  /** Its turn has come. `reset`: by RSET first. */
  begin(reset: boolean): void {
    const { from, to, pipelining, chunked, lmtp: _lmtp, content: _content, ...parameters } = this.#shipment;
    const commands: ClientCommand[] = reset ? [RESET] : [];
    commands.push({ type: "mail", from, ...parameters });
    for (const path of to) commands.push({ type: "rcpt", to: path });
    if (!chunked) commands.push(DATA);
    this.#commands = commands;
    this.#step = "envelope";
    this.unclean = true;
    this.#conversation.send(pipelining ? commands : commands.slice(0, 1));
  }

  onReply(reply: Reply): void {
    if (this.#step === "envelope") this.#onEnvelopeReply(reply);
    else this.#onContentReply(reply);
  }

  /** The end, without a reply that would say so. */
  fail(error: SmtpError, outcome: SendAttempt["outcome"] = this.#outcome): void {
    if (this.over) return;
    this.#problem ??= error;
    this.#finish(undefined, outcome);
  }

  /** Whether the server may have it, when there are no more replies. */
  get #outcome(): SendAttempt["outcome"] {
    return this.#step === "sent" && this.#problem === undefined ? "unknown" : "not-accepted";
  }

  #onEnvelopeReply(reply: Reply): void {
    const { pipelining, chunked } = this.#shipment;
    const command = this.#commands[this.#at];
    this.#at += 1;
    const positive = reply.code >= 200 && reply.code < 300;
    if (command?.type === "rset" && !positive) this.#problem ??= refused(reply, "RSET");
    if (command?.type === "mail" && !positive) this.#problem ??= refused(reply, "MAIL");
    if (command?.type === "rcpt" && this.#problem === undefined) {
      const { address } = command.to;
      if (positive) this.#accepted.push(address);
      else this.#refused.push({ address, reply });
    }
    const next = this.#commands[this.#at];
    if (next === undefined || next === DATA || chunked) this.#checkRecipients(next);
    if (next !== undefined && (pipelining || this.#problem === undefined)) {
      if (!pipelining) this.#conversation.send(next);
      return;
    }
    if (command === DATA && reply.code === 354) {
      this.#sendContent();
      return;
    }
    if (command === DATA) this.#problem ??= refused(reply, "DATA");
    if (this.#problem === undefined) this.#sendContent();
    else this.#finish(undefined);
  }

  /** Once all are answered: somebody has to get it. */
  #checkRecipients(next: ClientCommand | undefined): void {
    if (next?.type === "rcpt" || this.#accepted.length > 0) return;
    const [first] = this.#refused;
    if (first !== undefined) this.#problem ??= refused(first.reply, "RCPT");
  }

  #sendContent(): void {
    const { content, chunked, lmtp } = this.#shipment;
    if (this.#problem !== undefined && lmtp) {
      // For nobody there is no reply either, and so no telling when it is over.
      this.#cutOff(this.#problem);
    } else if (this.#problem !== undefined) {
      // RFC 2920 section 3.1: a server may say 354 though it took nobody, and then waits for the dot.
      this.#sent(END);
    } else if (content instanceof Uint8Array) {
      if (chunked) this.#sent({ type: "chunk", bytes: content, last: true });
      else this.#sent([{ type: "data", bytes: content }, END]);
    } else {
      this.#step = "content";
      const streamed = chunked ? this.#streamChunks(content) : this.#stream(content);
      streamed.catch((error: unknown) => this.#cutOff(error));
    }
  }

  /** Sends the last of it. */
  #sent(commands: ClientCommand | readonly ClientCommand[]): void {
    this.#conversation.send(commands);
    this.#verdicts = this.#shipment.lmtp ? this.#accepted.length : 1;
    this.#unanswered += this.#verdicts;
    this.#step = "sent";
    // The end of DATA leaves nothing behind, whatever the reply (RFC 5321 section 4.1.1.4); BDAT may (RFC 3030 section 2).
    this.unclean = this.#shipment.chunked || this.#problem !== undefined;
  }

  #onContentReply(reply: Reply): void {
    if (this.#unanswered === 0) {
      // In the middle of DATA: the server wants no more, and there is no way to stop but to go.
      this.#cutOff(refused(reply, "the content"));
      return;
    }
    this.#unanswered -= 1;
    const ofRecipient = this.#shipment.lmtp && this.#step === "sent" && this.#unanswered < this.#verdicts;
    if (ofRecipient) this.#onVerdict(reply);
    else if (reply.code !== 250) this.#problem ??= refused(reply, "the message");
    this.#answered?.();
    if (this.#step === "sent" && this.#unanswered === 0) this.#finish(reply);
  }

  /** LMTP: the first of those that are left has the message, or has not. */
  #onVerdict(reply: Reply): void {
    const [address = "", ...rest] = this.#accepted;
    if (reply.code === 250) this.#accepted = [...rest, address];
    else {
      this.#accepted = rest;
      this.#refused.push({ address, reply });
    }
    if (this.#accepted.length === 0) this.#problem ??= refused(reply, "the message");
  }

  async #stream(content: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of content) {
      if (this.over) return;
      await this.#send({ type: "data", bytes });
    }
    if (this.over) return;
    this.#sent(END);
    this.#changed();
  }

  async #streamChunks(content: AsyncIterable<Uint8Array>): Promise<void> {
    const { body, pipelining } = this.#shipment;
    const check = body === "BINARYMIME" ? undefined : new LineCheck();
    try {
      for await (const bytes of content) {
        if (this.over) return;
        if (check?.push(bytes) === false) throw badContent();
        if (this.#problem !== undefined) break;
        this.#unanswered += 1;
        await this.#send({ type: "chunk", bytes, last: false });
        if (!pipelining) await this.#allAnswered();
      }
      if (check?.openCr === true) throw badContent();
    } catch (error) {
      // No last chunk, no message: RSET takes the others back, and the connection lives (RFC 3030 section 2).
      this.#problem ??= error;
    }
    if (this.over) return;
    if (this.#problem === undefined) {
      const bytes = check?.lineStart === false ? CRLF : NOTHING;
      this.#sent({ type: "chunk", bytes, last: true });
    } else {
      this.#step = "sent";
      if (this.#unanswered === 0) this.#finish(undefined);
    }
    this.#changed();
  }

  async #send(command: ClientCommand): Promise<void> {
    // When the connection goes, `fail` is called.
    if (!this.#conversation.send(command)) await this.#conversation.drained().catch(() => undefined);
  }

  async #allAnswered(): Promise<void> {
    while (this.#unanswered > 0 && !this.over) {
      await new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
    }
  }

  /** Half a message is on the wire: without its end it counts for nothing once the connection is gone. */
  #cutOff(error: unknown): void {
    if (this.over) return;
    this.#problem ??= error;
    this.#finish(undefined);
    const message = "the connection had to be closed in the middle of an earlier message";
    this.#conversation.fail(new SmtpError("connection-closed", message, { fatal: true, cause: error }));
    this.#conversation.connection.destroy();
  }

  #finish(reply: Reply | undefined, outcome: SendAttempt["outcome"] = "not-accepted"): void {
    this.#step = "over";
    this.#answered?.();
    if (this.#problem === undefined && reply !== undefined) {
      this.#resolve({ accepted: this.#accepted, refused: this.#refused, reply });
      return;
    }
    const error = this.#problem;
    const attempt = { outcome, accepted: this.#accepted, refused: this.#refused };
    this.#reject(error instanceof SmtpError ? withAttempt(error, attempt) : error);
  }
}

/** One error may end several messages: each hears of its own attempt. */
function withAttempt(error: SmtpError, attempt: SendAttempt): SmtpError {
  const { code, message, blame, reply, fatal, cause } = error;
  return new SmtpError(code, message, { blame, fatal, attempt, cause, ...(reply && { reply }) });
}
