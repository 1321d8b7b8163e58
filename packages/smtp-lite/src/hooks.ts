// What a server asks its owner. Types only.
import type { ByteStream } from "@tcpkit/core";
import type { Client, Envelope, Mail } from "./envelope.ts";
import type { Recipient } from "./parameter-types.ts";
import type { SaslCredentials, Verdict } from "./sasl/index.ts";

/**
 * What a server asks its owner. Each hook may be async. An `SmtpReply`, thrown or returned, refuses with exactly that reply;
 * returning anything else accepts; throwing anything else refuses with 451 4.3.0 (the client tries again later), or 452 4.3.1
 * for the `no-space` of a mail directory, and goes to the option `onError`.
 */
export interface SmtpHooks {
  /**
   * A client has connected. Refuse with 554, after which it may only say QUIT, or with 421 to close at once. A greeting can be
   * nothing else (RFC 5321 section 3.1) and has no enhanced code (RFC 2034 section 4): the text of another 4xx goes with 421,
   * that of another 5xx with 554, and something else than an `SmtpReply` thrown is 421 here.
   */
  readonly onConnect?: (client: Client) => unknown;
  /**
   * AUTH: who is it? Ask `credentials`, which depend on the mechanism, and return the verdict:
   * `credentials.check(passwords.get(credentials.username))` does for all but tokens. Something else than an `SmtpReply`
   * thrown is 454 4.7.0 here. Without this hook AUTH is not offered.
   */
  readonly onAuth?: (credentials: SaslCredentials, client: Client) => Verdict | Promise<Verdict>;
  /** MAIL: a sender. */
  readonly onMail?: (mail: Mail) => unknown;
  /** RCPT: one recipient of `mail`. */
  readonly onRcpt?: (to: Recipient, mail: Mail) => unknown;
  /**
   * DATA: keep the message. The client is told 250 when this resolves, so resolve when the message is safe. `body`
   * gives the content, dots taken off, and holds the client back while it is not read; what is left unread is
   * dropped. Iterate over it, and keep what you like of it; or `await body.consume(take)`, which costs less, and where a piece
   * is yours only until `take` returns or its promise resolves. Either throws an `SmtpError` where the message will never be
   * whole (`connection-closed`, `timeout`, `incomplete`, `cancelled`, or what ended the connection between two chunks) or must be
   * refused (`message-too-big`, `line-too-long`, `bare-line-ending-in-data`, `mail-loop`): drop it then.
   * In LMTP it may resolve with a `Map<Recipient, SmtpReply>` of those in `envelope.to` that it does not take the message for.
   */
  readonly onMessage: (envelope: Envelope, body: ByteStream) => unknown;
}
