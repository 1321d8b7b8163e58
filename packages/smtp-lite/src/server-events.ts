// What the server's side of a session reports, and which replies answer it.
import type { Span } from "@tcpkit/core";
import type { SmtpError } from "./errors.ts";
import type { SmtpLimits } from "./limits.ts";
import type { ReceivedCommand } from "./wire.ts";

/**
 * What a session reports. Every event is answered by exactly one reply, but `data` and `bdat` (whose chunk comes first), and in
 * LMTP `message-end`: it gets one for each recipient.
 */
export type SmtpEvent =
  /** The connection is open: answer 220, or 554 or 421 to turn it away. */
  | ({ readonly type: "greeting" } & Span)
  | ReceivedCommand
  /**
   * A piece of a message, dots taken off. It is answered by nothing. `bytes` is empty where the piece is dropped, since the
   * message, or its chunk, will be refused at its end.
   */
  | ({ readonly type: "data"; readonly bytes: Buffer } & Span)
  /** A chunk that was not the last has come whole. With a `problem`, answer that: the message is lost. */
  | ({ readonly type: "chunk-end"; readonly size: number; readonly problem: SmtpError | undefined } & Span)
  /** The message has ended. With a `problem` it must be refused, by the problem's reply. */
  | ({ readonly type: "message-end"; readonly size: number; readonly problem: SmtpError | undefined } & Span)
  /** The client took too long: answer 421. */
  | ({ readonly type: "timeout" } & Span)
  /** The server is going down: answer 421. */
  | ({ readonly type: "shutdown" } & Span)
  /** The client broke the rules: answer `error.reply`. What stands there may be `confidential`, a password gone astray. */
  | ({ readonly type: "error"; readonly error: SmtpError; readonly confidential: boolean } & Span);

export interface ServerSideOptions {
  /** The connection begins encrypted. Default: false. */
  readonly secure?: boolean | undefined;
  /** Speak LMTP (RFC 2033): LHLO, and after a message one reply for each recipient that was accepted. Default: false. */
  readonly lmtp?: boolean | undefined;
  /** A bare LF in content becomes CRLF, instead of a reason to refuse; it never ends a message. Default: false. */
  readonly normalize?: boolean | undefined;
  /** Before TLS, every command but EHLO, NOOP, STARTTLS and QUIT is out of order: 530 5.7.0 (RFC 3207 section 4). Default: false. */
  readonly requireTls?: boolean | undefined;
  /** Before AUTH, mail is out of order: 530 5.7.0 (RFC 4954 section 6). Default: false. */
  readonly requireAuth?: boolean | undefined;
  /** Bounds that differ from `DEFAULT_LIMITS`. They are read when the session is made. */
  readonly limits?: Partial<SmtpLimits> | undefined;
}

/** Why this reply cannot answer this event; `undefined` when it can. */
export function whyUnfit(event: SmtpEvent["type"] | undefined, code: number): string | undefined {
  // RFC 5321 section 3.8: a server that must go may say so at any time.
  if (code === 421) return undefined;
  if (event === undefined) return "nothing is to be answered";
  if (event === "timeout" || event === "shutdown") return `${event} is answered by 421`;
  // Section 3.1.
  if (event === "greeting" && code !== 220 && code !== 554) return "a greeting is 220, 554 or 421";
  const positive = code < 400;
  if (positive && (code === 354) !== (event === "message"))
    return "of 2xx and 3xx, 354 alone answers DATA, and DATA alone";
  const ofAuth = event === "auth" || event === "auth-response";
  if (positive && (code === 334 || code === 235) !== ofAuth)
    return "of 2xx and 3xx, 334 and 235 alone answer AUTH, and AUTH alone";
  return undefined;
}
