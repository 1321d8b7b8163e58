// One mail transaction after another of one client (RFC 5321 section 3.3): sender, recipients, content. It asks the hooks
// what is accepted, and knows the limits; it parses nothing, and knows no other commands.
import type { DeadlineTimer, Handled, Peer } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { DataRate } from "./data-rate.ts";
import type { Client, Envelope, Mail } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { ask } from "./hook-call.ts";
import { IncomingMessage } from "./incoming.ts";
import { newId } from "./message-id.ts";
import type { Recipient } from "./parameter-types.ts";
import { receivedLine } from "./received.ts";
import { replies } from "./replies.ts";
import type { SaslIdentity } from "./sasl/index.ts";
import type { SmtpEvent } from "./server-events.ts";
import type { Settings } from "./settings.ts";

/** Who the client is, as far as it has said so and proved it. */
export interface Introduced {
  client: Client;
  auth: SaslIdentity | undefined;
  helo: string;
  /** It said EHLO. */
  extended: boolean;
}

export class MailTransaction {
  readonly #settings: Settings;
  readonly #who: Introduced;
  readonly #timer: DeadlineTimer;
  /** Transactions begun. */
  #count = 0;
  #mail: Mail | undefined;
  #to: Recipient[] = [];
  #message: IncomingMessage | undefined;
  #rate: DataRate | undefined;

  constructor(settings: Settings, who: Introduced, timer: DeadlineTimer) {
    this.#settings = settings;
    this.#who = who;
    this.#timer = timer;
  }

  onMail(event: SmtpEvent & { type: "mail" }): Handled<Reply> {
    const { limits, hooks, report } = this.#settings;
    // RFC 1870 section 6.1: better to hear it now than after the content.
    if (event.size !== undefined && event.size > limits.messageSize) return replies.tooBig;
    if (this.#count >= limits.messages) return replies.tooManyMessages;
    const { client, auth, helo, extended } = this.#who;
    const mail: Mail = {
      id: newId(),
      remoteAddress: client.remoteAddress,
      remotePort: client.remotePort,
      remoteName: client.remoteName,
      tls: client.tls,
      helo,
      extended,
      auth,
      from: event.from,
      size: event.size,
      body: event.body,
      // RFC 4954 section 5: the word of a client that nobody knows counts as AUTH=<>.
      submitter: auth === undefined ? undefined : event.submitter,
      utf8: event.utf8,
      requireTls: event.requireTls,
      ret: event.ret,
      envelopeId: event.envelopeId,
    };
    if (hooks.onMail === undefined) return this.#begin(mail);
    return ask(
      () => hooks.onMail?.(mail),
      () => this.#begin(mail),
      report,
    );
  }

  onRcpt(to: Recipient): Handled<Reply> {
    const { limits, hooks, report } = this.#settings;
    if (this.#to.length >= limits.recipients) return replies.tooManyRecipients;
    const mail = this.#mail;
    if (hooks.onRcpt === undefined || mail === undefined) return this.#addRecipient(to);
    return ask(
      () => hooks.onRcpt?.(to, mail),
      () => this.#addRecipient(to),
      report,
    );
  }

  /** A piece of content that took `received` bytes on the wire. It is empty where those are dropped. */
  onData(bytes: Buffer, received: number): Handled<Reply> {
    const timer = this.#timer;
    const dropped = bytes.length === 0;
    // Most messages are one piece, and have no rate.
    if (this.#message === undefined && !dropped) return this.#incoming().push(bytes);
    const rate = (this.#rate ??= new DataRate(this.#settings.limits.dataRate, timer.now));
    if (!rate.received(received, timer.now)) {
      this.drop("timeout", "the client sent the message too slowly");
      return replies.tooSlow;
    }
    if (dropped) return undefined;
    return this.#message?.push(bytes)?.then(() => rate.wait(timer.now));
  }

  onChunkEnd(size: number, problem: SmtpError | undefined): Reply {
    if (problem === undefined) return { code: 250, enhanced: "2.0.0", lines: [`${size} octets so far`] };
    this.fail(problem);
    this.forget();
    return problem.reply ?? replies.localError;
  }

  onEnd(problem: SmtpError | undefined, peer: Peer<Reply>): Handled<Reply> {
    const message = this.#incoming();
    return message.end(problem, (reply) => {
      const to = this.#to;
      this.#message = undefined;
      this.forget();
      if (!this.#settings.lmtp || reply.code === 421) return reply;
      // RFC 2033 section 4.2: each recipient has its own, in the order of RCPT.
      const all = to.map((recipient) => (reply.code < 400 && message.refusals?.get(recipient)) || reply);
      for (const one of all.slice(0, -1)) peer.send(one);
      return all.at(-1) ?? reply;
    });
  }

  /** The client broke the rules. */
  onError(error: SmtpError): Reply | undefined {
    if (error.fatal) this.fail(error);
    // A chunk that was refused for coming out of order had a rate of its own.
    if (this.#message === undefined) this.#rate = undefined;
    return error.reply;
  }

  /** Whoever reads the message under way, if there is one, gets `error`. */
  fail(error: SmtpError): void {
    this.#message?.fail(error);
  }

  drop(code: "connection-closed" | "timeout" | "cancelled", what: string): void {
    if (this.#message !== undefined) this.fail(new SmtpError(code, what, { fatal: true }));
  }

  /** RSET, EHLO, or the end of a message. */
  forget(): void {
    // RSET or EHLO between two chunks.
    this.drop("cancelled", "the client gave the message up");
    this.#mail = undefined;
    this.#to = [];
    this.#message = undefined;
    this.#rate = undefined;
  }

  #begin(mail: Mail): Reply {
    this.#mail = mail;
    this.#count += 1;
    return replies.senderOk;
  }

  #addRecipient(to: Recipient): Reply {
    this.#to.push(to);
    return replies.recipientOk;
  }

  /** The message under way. It begins with its content, not with DATA: a client that goes before sent nothing. */
  #incoming(): IncomingMessage {
    this.#message ??= new IncomingMessage(this.#envelope(), this.#settings);
    return this.#message;
  }

  #envelope(): Envelope {
    const { hostname, lmtp } = this.#settings;
    const mail = this.#mail;
    // Theirs to keep. Nothing is added any more: RCPT is out of order once there is content.
    const to = [...this.#to];
    if (mail === undefined || !isSome(to))
      throw new Error("content without MAIL and RCPT: a bug in the session");
    return { ...mail, to, received: receivedLine(mail, to, hostname, new Date(), lmtp) };
  }
}

function isSome(to: readonly Recipient[]): to is Envelope["to"] {
  return to.length > 0;
}
