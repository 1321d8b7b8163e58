// The messages of one connection, one after the other: whose turn it is, and whose reply. It knows when the next may begin;
// what is said for each is in delivery.ts.
import type { Reply } from "./codes.ts";
import { replyText } from "./conversation.ts";
import type { Conversation, ReplyListener } from "./conversation.ts";
import { Delivery } from "./delivery.ts";
import type { Shipment } from "./delivery-shipment.ts";
import { SmtpError } from "./errors.ts";
import type { SendMailResult } from "./send-result.ts";

export class MailQueue implements ReplyListener {
  readonly #conversation: Conversation;
  readonly #waiting: Delivery[] = [];
  /** Those that have begun, oldest first: the next reply is the first one's. */
  readonly #begun: Delivery[] = [];
  /** How many messages the server takes of one connection, and how many have begun. */
  readonly #most: number;
  #count = 0;
  /** The last one that has begun. */
  #last: Delivery | undefined;
  /** It takes no more, and this resolves when nothing is left. */
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(conversation: Conversation, most: number) {
    this.#conversation = conversation;
    this.#most = most;
  }

  add(shipment: Shipment): Promise<SendMailResult> {
    const delivery = new Delivery(this.#conversation, shipment, () => this.#goOn());
    const failure = this.#conversation.failure ?? (this.#closing && closed());
    if (failure === undefined) this.#waiting.push(delivery);
    else delivery.fail(failure);
    this.#goOn();
    return delivery.result;
  }

  /** Takes no more; resolves when no message is waiting or under way. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    this.#goOn();
    return this.#closing.promise;
  }

  onReply(reply: Reply): void {
    const [delivery] = this.#begun;
    if (reply.code === 421) {
      // RFC 5321 section 3.8: whatever it answers, the connection is over.
      const message = `the server closes the connection: ${replyText(reply)}`;
      const error = new SmtpError("connection-closed", message, { reply, fatal: true });
      delivery?.onClosing(reply, error);
      this.#conversation.fail(error);
      this.#conversation.connection.close();
      return;
    }
    if (delivery === undefined) {
      const message = `a reply to nothing: ${replyText(reply)}`;
      this.#conversation.fail(new SmtpError("bad-server-reply", message, { reply, fatal: true }));
      this.#conversation.connection.destroy();
      return;
    }
    delivery.onReply(reply);
    this.#goOn();
  }

  onFailure(error: SmtpError): void {
    for (const delivery of [...this.#begun.splice(0), ...this.#waiting.splice(0)]) delivery.fail(error);
    this.#closing?.resolve();
  }

  /** Lets go of those that are over; the next begins once the one before has sent all it had (RFC 2920). */
  #goOn(): void {
    const begun = this.#begun;
    while (begun[0]?.over === true) begun.shift();
    while (this.#waiting.length > 0 && begun.at(-1)?.makesRoom !== false) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) break;
      begun.push(delivery);
      this.#begin(delivery);
    }
    this.#conversation.await(begun[0]?.awaited);
    if (begun.length === 0) this.#closing?.resolve();
  }

  #begin(delivery: Delivery): void {
    try {
      if (this.#count >= this.#most) throw tooMany(this.#most);
      delivery.begin(this.#last?.unclean === true);
      this.#last = delivery;
      this.#count += 1;
    } catch (error) {
      // Not a byte of it has left.
      this.#begun.pop();
      delivery.fail(error as SmtpError);
    }
  }
}

function tooMany(most: number): SmtpError {
  const message = `the server takes no more than ${most} messages of one connection: make another`;
  return new SmtpError("not-offered", message);
}

function closed(): SmtpError {
  return new SmtpError("connection-closed", "close() was called before", { blame: "local" });
}
