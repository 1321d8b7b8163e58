// Sending mail: the public face. What is said on the way in is in client-opening.ts, what for each message in delivery.ts.
import { connect } from "@tcpkit/core";
import type { TlsDetails } from "@tcpkit/core";
import { isDomain } from "./domain.ts";
import { openConversation } from "./client-opening.ts";
import type { Extensions } from "./client-opening.ts";
import type { SmtpClientOptions } from "./client-options.ts";
import { Conversation } from "./conversation.ts";
import { MailQueue } from "./mail-queue.ts";
import { shipmentFor } from "./delivery-shipment.ts";
import { badArgument } from "./errors.ts";
import { endContent } from "./outgoing-content.ts";
import { prepareMail } from "./outgoing-mail.ts";
import type { OutgoingMail, PreparedMail } from "./outgoing-mail.ts";
import type { SendMailResult } from "./send-result.ts";
import { systemName } from "./system-name.ts";

export interface SendMailOptions extends SmtpClientOptions, OutgoingMail {}

/**
 * Sends one message over a connection of its own. After it the server has 3 seconds to reply to QUIT; what became of the message
 * does not depend on that.
 * @throws what `connectSmtp` and `SmtpClient.send` throw; bad addresses are found before a connection is made.
 */
export async function sendMail(options: SendMailOptions): Promise<SendMailResult> {
  const mail = prepareMail(options);
  await using client = await connectFor(mail, options);
  return await client.sendPrepared(mail);
}

async function connectFor({ content }: PreparedMail, options: SmtpClientOptions): Promise<SmtpClient> {
  try {
    return await connectSmtp(options);
  } catch (error) {
    endContent(content);
    throw error;
  }
}

/**
 * Connects to a server, says EHLO (HELO where the server does not know it), does STARTTLS where it is offered, and AUTH where
 * there is `auth`. A certificate that does not hold ends it; so does a server without TLS, where there is `auth`. One that goes
 * no further is told QUIT, and has 3 seconds to reply, before this rejects.
 * @throws SmtpError `bad-argument` for a `name` that is no domain, or options that do not go together; `refused` with the
 * server's `reply`; `not-offered` where the server lacks TLS, or a way to authenticate; `auth-failed`; `connection-closed`,
 * `timeout`, `bad-server-reply`.
 * @throws TcpError as core's `connect`; `tls-failed` for a handshake that failed.
 */
export async function connectSmtp(options: SmtpClientOptions): Promise<SmtpClient> {
  const name = options.name ?? systemName();
  if (!isDomain(name)) throw badArgument("`name` is no domain");
  if (options.tls !== undefined && options.starttls) {
    throw badArgument("`tls` encrypts from the first byte: no `starttls` beside it");
  }
  const connection = await connect(options);
  let conversation: Conversation | undefined;
  try {
    conversation = new Conversation(connection, options.deadlines);
    const extensions = await openConversation(conversation, name, options);
    return new SmtpClient(conversation, extensions, options);
  } catch (error) {
    // RFC 5321 section 4.1.1.10: not without QUIT, where the server still listens.
    if (conversation !== undefined && conversation.failure === undefined) await conversation.quit();
    else connection.destroy();
    throw error;
  }
}

/** A connection that sends any number of messages. Made by `connectSmtp`. */
export class SmtpClient implements AsyncDisposable {
  /** What the server offers: keyword to parameters, `"SIZE"` to `"26214400"`. */
  readonly extensions: Extensions;
  readonly #conversation: Conversation;
  readonly #queue: MailQueue;
  readonly #options: SmtpClientOptions;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(conversation: Conversation, extensions: Extensions, options: SmtpClientOptions) {
    this.extensions = extensions;
    this.#conversation = conversation;
    this.#options = options;
    this.#queue = new MailQueue(conversation, mailMax(extensions));
    conversation.tell(this.#queue);
  }

  /** How the connection is encrypted; `undefined` when it is not. */
  get tls(): TlsDetails | undefined {
    return this.#conversation.connection.tls;
  }

  /**
   * Sends a message. Calls may overlap: messages leave in order, and where the server offers PIPELINING the commands of the
   * next travel right behind the content of the one before (RFC 2920), so keep at least two under way. What becomes of one
   * does not touch the others, but for the end of the connection.
   * @throws SmtpError `bad-address`, `bad-argument` and `not-offered`, before anything is sent, but for what only the pieces of a
   * stream tell (a bare CR or LF, strings, 8 bits where the server does not take them); `not-offered` too beyond the number of
   * messages that the server takes of one connection (LIMITS MAILMAX, RFC 9422); `refused` with the server's
   * `reply` when it does not take the message for any recipient; `connection-closed`, `timeout` and `bad-server-reply` when
   * no reply came, `connection-closed` too after `close()`. `attempt` tells how far the message had come. What a stream throws is
   * passed on. However it goes, the stream is ended: one of Node by `destroy()`, another by `return()`, in the middle once its
   * next piece has come.
   */
  async send(mail: OutgoingMail): Promise<SendMailResult> {
    return this.sendPrepared(prepareMail(mail));
  }

  /** @internal */
  async sendPrepared(mail: PreparedMail): Promise<SendMailResult> {
    const { protocol, chunking } = this.#options;
    const { extensions, tls } = this;
    try {
      const lmtp = protocol === "lmtp";
      return this.#queue.add(shipmentFor(mail, { extensions, tls: tls !== undefined, lmtp, chunking }));
    } catch (error) {
      endContent(mail.content);
      throw error;
    }
  }

  /**
   * Says QUIT once everything is sent, and closes when the server has replied, or has not for 3 seconds. Whatever is sent after
   * the call is refused.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#queue.close();
    const conversation = this.#conversation;
    if (conversation.failure === undefined) await conversation.quit();
    else conversation.connection.close();
  }
}

/** How many messages it takes of one connection (LIMITS, RFC 9422 section 4.1). */
function mailMax(extensions: Extensions): number {
  const [, most] = /(?:^| )MAILMAX=([1-9][0-9]{0,5})(?= |$)/i.exec(extensions.get("LIMITS") ?? "") ?? [];
  return most === undefined ? Infinity : Number(most);
}
