// One message on its way over a connection: which reply answers what, and what became of it. It knows the order of RFC 5321
// section 3.3 and RFC 3030; it knows nothing of the messages before and after.
import type { ClientCommand } from "./client-side.ts";
import { isIntermediate, isPositive } from "./codes.ts";
import type { Awaited } from "./client-patience.ts";
import type { Reply } from "./codes.ts";
import { refused } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { DeliveryResult } from "./delivery-result.ts";
import { SmtpError } from "./errors.ts";
import { LineCheck } from "./line-check.ts";
import { endContent } from "./outgoing-content.ts";
import { badContent } from "./outgoing-mail.ts";
import type { Content } from "./outgoing-mail.ts";
import type { MailParameters, Recipient } from "./parameters.ts";
import type { SendAttempt, SendMailResult } from "./send-result.ts";
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
  readonly #result = new DeliveryResult();
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
  #answered: (() => void) | undefined;
  /** The content is a stream, and a loop reads it. */
  #reading = false;

  constructor(conversation: Conversation, shipment: Shipment, changed: () => void) {
    this.#conversation = conversation;
    this.#shipment = shipment;
    this.#changed = changed;
  }

  /** The server may hold a rest of it: RSET has to come before the next one. */
  unclean = false;

  get result(): Promise<SendMailResult> {
    return this.#result.promise;
  }

  get over(): boolean {
    return this.#step === "over";
  }

  /** The next message's commands may leave. */
  get makesRoom(): boolean {
    return this.#step === "over" || (this.#step === "sent" && this.#shipment.pipelining);
  }

  /** What the server owes it; nothing while the next piece of a stream is up to us. */
  get awaited(): Awaited | undefined {
    if (this.#step === "envelope") return "reply";
    if (this.#unanswered === 0) return undefined;
    return this.#step === "sent" && this.#unanswered <= this.#verdicts ? "end" : "reply";
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
    this.#result.fail(error);
    this.#finish(undefined, outcome);
  }

  /** Whether the server may have it, when there are no more replies. */
  get #outcome(): SendAttempt["outcome"] {
    return this.#step === "sent" && !this.#result.failed ? "unknown" : "not-accepted";
  }

  #onEnvelopeReply(reply: Reply): void {
    const { pipelining } = this.#shipment;
    const result = this.#result;
    const command = this.#commands[this.#at];
    this.#at += 1;
    const positive = isPositive(reply);
    if (command?.type === "rset" && !positive) result.fail(refused(reply, "RSET"));
    if (command?.type === "mail" && !positive) result.fail(refused(reply, "MAIL"));
    if (command?.type === "rcpt") result.onRecipient(command.to.address, reply);
    const next = this.#commands[this.#at];
    if (next?.type !== "rcpt") result.checkRecipients();
    if (next !== undefined && (pipelining || !result.failed)) {
      if (!pipelining) this.#conversation.send(next);
      return;
    }
    if (command === DATA && isIntermediate(reply)) {
      this.#sendContent();
      return;
    }
    if (command === DATA) result.fail(refused(reply, "DATA"));
    if (result.failed) this.#finish(undefined);
    else this.#sendContent();
  }

  #sendContent(): void {
    const { content, chunked, lmtp } = this.#shipment;
    if (this.#result.failed && lmtp) {
      // For nobody there is no reply either, and so no telling when it is over.
      this.#cutOff(this.#result.problem);
    } else if (this.#result.failed) {
      // RFC 2920 section 3.1: a server may say 354 though it took nobody, and then waits for the dot.
      this.#sent(END);
    } else if (content instanceof Uint8Array) {
      if (chunked) this.#sent({ type: "chunk", bytes: content, last: true });
      else this.#sent([{ type: "data", bytes: content }, END]);
    } else {
      this.#step = "content";
      this.#reading = true;
      const streamed = chunked ? this.#streamChunks(content) : this.#stream(content);
      streamed.catch((error: unknown) => this.#cutOff(error));
    }
  }

  /** Sends the last of it. */
  #sent(commands: ClientCommand | readonly ClientCommand[]): void {
    this.#conversation.send(commands);
    this.#verdicts = this.#shipment.lmtp ? this.#result.recipients : 1;
    this.#unanswered += this.#verdicts;
    this.#step = "sent";
    // The end of DATA leaves nothing behind, whatever the reply (RFC 5321 section 4.1.1.4); BDAT may (RFC 3030 section 2).
    this.unclean = this.#shipment.chunked || this.#result.failed;
  }

  #onContentReply(reply: Reply): void {
    if (this.#unanswered === 0) {
      // In the middle of DATA: the server wants no more, and there is no way to stop but to go.
      this.#cutOff(refused(reply, "the content"));
      return;
    }
    this.#unanswered -= 1;
    const ofRecipient = this.#shipment.lmtp && this.#step === "sent" && this.#unanswered < this.#verdicts;
    if (ofRecipient) this.#result.onVerdict(reply);
    else this.#result.onContent(reply);
    this.#answered?.();
    if (this.#step === "content" && this.#result.failed) endContent(this.#shipment.content, true);
    if (this.#step === "sent" && this.#unanswered === 0) this.#finish(reply);
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
        if (this.#result.failed) break;
        this.#unanswered += 1;
        await this.#send({ type: "chunk", bytes, last: false });
        if (!pipelining) await this.#allAnswered();
      }
      if (check?.openCr === true) throw badContent();
    } catch (error) {
      // No last chunk, no message: RSET takes the others back, and the connection lives (RFC 3030 section 2).
      this.#result.fail(error);
    }
    if (this.over) return;
    if (!this.#result.failed) {
      const bytes = check?.lineStart === false ? CRLF : NOTHING;
      this.#sent({ type: "chunk", bytes, last: true });
    } else {
      this.#step = "sent";
      if (this.#unanswered === 0) this.#finish(undefined);
    }
    this.#changed();
  }

  async #send(command: ClientCommand): Promise<void> {
    const taken = this.#conversation.send(command);
    this.#changed();
    // When the connection goes, `fail` is called.
    if (!taken) await this.#conversation.drained().catch(() => undefined);
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
    this.#result.fail(error);
    this.#finish(undefined);
    const message = "the connection had to be closed in the middle of an earlier message";
    this.#conversation.fail(new SmtpError("connection-closed", message, { fatal: true, cause: error }));
    this.#conversation.connection.destroy();
  }

  #finish(reply: Reply | undefined, outcome: SendAttempt["outcome"] = "not-accepted"): void {
    this.#step = "over";
    this.#answered?.();
    if (this.#result.failed) endContent(this.#shipment.content, this.#reading);
    this.#result.settle(reply, outcome);
  }
}
