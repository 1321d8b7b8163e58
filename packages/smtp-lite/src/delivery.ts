// One message on its way over a connection: its envelope, then its content, and whose the replies are. It knows DATA and BDAT
// (RFC 3030); it knows nothing of the messages before and after.
import type { ClientCommand } from "./client-side.ts";
import type { Awaited } from "./client-patience.ts";
import type { Reply } from "./codes.ts";
import { refused } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { DeliveryEnvelope } from "./delivery-envelope.ts";
import { DeliveryResult } from "./delivery-result.ts";
import type { Shipment } from "./delivery-shipment.ts";
import { SmtpError } from "./errors.ts";
import { checkedPieces, endContent } from "./outgoing-content.ts";
import type { SendAttempt, SendMailResult } from "./send-result.ts";

const END: ClientCommand = { type: "message-end" };
const LAST: ClientCommand = { type: "chunk", bytes: Buffer.alloc(0), last: true };

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
  #envelope: DeliveryEnvelope | undefined;
  /** Replies to content that are still to come. */
  #unanswered = 0;
  /** How many of those are verdicts on the message: the last ones. */
  #verdicts = 0;
  #answered: (() => void) | undefined;
  /** The content is a stream, and a loop reads it. */
  #reading = false;
  #unclean = false;

  constructor(conversation: Conversation, shipment: Shipment, changed: () => void) {
    this.#conversation = conversation;
    this.#shipment = shipment;
    this.#changed = changed;
  }

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

  /** The server may hold a rest of it: RSET has to come before the next one. */
  get unclean(): boolean {
    return this.#unclean;
  }

  /** What the server owes it; nothing while the next piece of a stream is up to us. */
  get awaited(): Awaited | undefined {
    if (this.#step === "envelope") return "reply";
    if (this.#unanswered === 0) return undefined;
    return this.#step === "sent" && this.#unanswered <= this.#verdicts ? "end" : "reply";
  }

  /** Its turn has come. `reset`: by RSET first. */
  begin(reset: boolean): void {
    const envelope = new DeliveryEnvelope(this.#shipment, reset);
    this.#envelope = envelope;
    this.#step = "envelope";
    this.#unclean = true;
    const { commands } = envelope;
    this.#conversation.send(this.#shipment.pipelining ? commands : commands[0]);
  }

  onReply(reply: Reply): void {
    if (this.#step === "envelope") this.#onEnvelopeReply(reply);
    else this.#onContentReply(reply);
  }

  /** The server ends the connection, by this reply, for this reason. Recipients that LMTP has told of already keep their verdict. */
  onClosing(reply: Reply, error: SmtpError): void {
    const told = this.#shipment.lmtp && this.#step === "sent" && this.#result.recipients > this.#unanswered;
    if (!told) {
      this.fail(error, "not-accepted");
      return;
    }
    for (; this.#unanswered > 0; this.#unanswered -= 1) this.#result.onVerdict(reply);
    this.#finish(reply);
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
    const after = this.#envelope?.onReply(reply, this.#result);
    const next = this.#envelope?.next;
    if (after === "content") this.#sendContent();
    else if (after === "over") this.#finish(undefined);
    else if (after === "broken") this.#cutOff(this.#result.problem);
    else if (next !== undefined && !this.#shipment.pipelining) this.#conversation.send(next);
  }

  #sendContent(): void {
    const { content, chunked, lmtp } = this.#shipment;
    if (this.#result.failed && (lmtp || this.#result.recipients > 0)) {
      // To end an empty message here would deliver it. In LMTP, for nobody there is no reply, and so no telling when it is over.
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
      void this.#stream(content);
    }
  }

  /** Sends the last of it. */
  #sent(commands: ClientCommand | readonly ClientCommand[]): void {
    this.#conversation.send(commands);
    this.#verdicts = this.#shipment.lmtp ? this.#result.recipients : 1;
    this.#unanswered += this.#verdicts;
    this.#step = "sent";
    // The end of DATA leaves nothing behind, whatever the reply (RFC 5321 section 4.1.1.4); BDAT may (RFC 3030 section 2).
    this.#unclean = this.#shipment.chunked || this.#result.failed;
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
    // A refused chunk is the end too, without waiting for the next piece of a stream.
    if (this.#unanswered === 0 && (this.#step === "sent" || this.#result.failed)) this.#finish(reply);
  }

  /** Sends a stream, piece by piece. By BDAT one that fails costs its own message alone: without a last chunk it is none. */
  async #stream(content: AsyncIterable<Uint8Array>): Promise<void> {
    const { body, chunked, pipelining, lmtp } = this.#shipment;
    try {
      for await (const bytes of checkedPieces(content, body, chunked)) {
        if (this.over || this.#result.failed) return;
        if (chunked) this.#unanswered += 1;
        await this.#send(chunked ? { type: "chunk", bytes, last: false } : { type: "data", bytes });
        if (chunked && !pipelining) await this.#allAnswered();
      }
      // In LMTP the number of replies to the last chunk depends on whether the others were taken.
      if (lmtp) await this.#allAnswered();
      if (this.over || this.#result.failed) return;
      this.#sent(chunked ? LAST : END);
    } catch (error) {
      if (this.over) return;
      if (!chunked) this.#cutOff(error);
      else {
        this.#result.fail(error);
        if (this.#unanswered === 0) this.#finish(undefined);
      }
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
