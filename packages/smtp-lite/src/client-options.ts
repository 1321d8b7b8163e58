// How a client connects, encrypts and says who it is. Types only.
import type { ConnectOptions, TlsClientOptions } from "@tcpkit/core";

/** Who we are, and what proves it: a password, or an OAuth 2.0 access token; never both. */
export type SmtpCredentials =
  | { readonly username: string; readonly password: string; readonly token?: undefined }
  | { readonly username: string; readonly token: string; readonly password?: undefined };

/** How to do STARTTLS: Node's options of a TLS client, with its defaults, so the server's certificate is verified. */
export interface StartTlsOptions extends TlsClientOptions {
  /**
   * Send nothing to a server that does not offer STARTTLS. Without it, whoever sits on the way can hide the offer and read
   * along. Default: true where there is `auth` (and not `allowInsecureAuth`), else false.
   */
  readonly required?: boolean | undefined;
}

/**
 * How long to wait for the server, in milliseconds; `Infinity` for ever. RFC 5321 section 4.5.3.2: each time counts from its
 * command, or from the end of the content. While nothing is asked, or your stream brings nothing, nobody is late.
 */
export interface SmtpClientDeadlines {
  /**
   * For a reply: from its command, once the server has taken that, or from the reply before where several are due; and for the
   * greeting. Default: 5 minutes.
   */
  readonly reply?: number | undefined;
  /** From the end of a message to its reply: the server may have the message already, so be generous. Default: 10 minutes. */
  readonly end?: number | undefined;
  /** While the server takes no byte of what we send. As long as it takes some, a message may last. Default: 3 minutes. */
  readonly write?: number | undefined;
}

/** Where to send to, as whom, and how safe from others. */
export interface SmtpClientOptions extends ConnectOptions {
  /** What we call ourselves. Default: the system's host name. */
  readonly name?: string | undefined;
  /**
   * `"lmtp"` to hand mail to a local delivery agent (RFC 2033), where each recipient has a verdict of its own on the message;
   * never over the Internet. Default: `"smtp"`.
   */
  readonly protocol?: "smtp" | "lmtp" | undefined;
  /**
   * STARTTLS (RFC 3207), for ports 25 and 587; `false`: never. The certificate must be for `host` as you gave it, or for
   * `servername`. Core's option `tls` is something else: TLS from the first byte, for port 465. Default: where it is offered.
   */
  readonly starttls?: StartTlsOptions | false | undefined;
  /**
   * Prove who we are, by the best mechanism that both sides have: SCRAM-SHA-256, CRAM-MD5, PLAIN, LOGIN for a password, XOAUTH2
   * for a token (RFC 4954). Default: do not.
   */
  readonly auth?: SmtpCredentials | undefined;
  /** Let `auth` go without TLS too: a password or token then travels in the clear. Default: false. */
  readonly allowInsecureAuth?: boolean | undefined;
  /**
   * Send content by BDAT (RFC 3030) where the server offers it: `true` for each message, `false` for none. Default: for
   * binary messages, which need it, and for streams, whose failure then costs their own message alone.
   */
  readonly chunking?: boolean | undefined;
  /** How long to wait for the server. Default: as RFC 5321 section 4.5.3.2 asks. */
  readonly deadlines?: SmtpClientDeadlines | undefined;
}
