// The one error class of this package: what went wrong, who caused it, and what goes on the wire for it.
import type { Blame } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import type { SendAttempt } from "./send-result.ts";

/** Every way in which this package fails, as a stable word that programs may compare. */
export type SmtpErrorCode =
  // Commands.
  | "unknown-command"
  | "not-implemented"
  | "syntax"
  | "bad-address"
  | "bad-parameter"
  | "unknown-parameter"
  | "bad-sequence"
  | "bad-auth"
  | "line-too-long"
  | "too-many-errors"
  // Bytes that leave no way to go on.
  | "bare-line-ending"
  | "early-input"
  | "other-protocol"
  | "incomplete"
  // Messages.
  | "bare-line-ending-in-data"
  | "message-too-big"
  | "mail-loop"
  | "no-space"
  | "connection-closed"
  | "timeout"
  | "cancelled"
  // This side.
  | "bad-argument"
  | "bad-reply"
  // Waiting for a message in a test.
  | "aborted"
  // The client.
  | "refused"
  | "not-offered"
  | "auth-failed"
  | "bad-server-reply";

export interface SmtpErrorOptions {
  /** Who is to blame. Default: `"remote"`. */
  readonly blame?: Blame | undefined;
  /** Absolute offset in the incoming byte stream, in bytes. */
  readonly offset?: number | undefined;
  /** What the peer is told. */
  readonly reply?: Reply | undefined;
  /** Nothing more can be read after it: say `reply`, then close. Default: false. */
  readonly fatal?: boolean | undefined;
  /** How far a message came that was being sent. */
  readonly attempt?: SendAttempt | undefined;
  readonly cause?: unknown;
}

/** An error of SMTP. Its message says what happened, where, and what to do. */
export class SmtpError extends Error {
  override readonly name = "SmtpError";
  readonly code: SmtpErrorCode;
  readonly blame: Blame;
  /** Absolute offset in the incoming byte stream, in bytes; `undefined` where no byte is to blame. */
  readonly offset: number | undefined;
  /** What a server answers; `undefined` where there is nobody to tell. For `refused`: what the server said. */
  readonly reply: Reply | undefined;
  /** The connection ends with it. */
  readonly fatal: boolean;
  /** For a message that was being sent: how far it came, and whether the server may have it all the same. */
  readonly attempt: SendAttempt | undefined;
  /** What happened, without where. */
  readonly #what: string;

  constructor(code: SmtpErrorCode, message: string, options: SmtpErrorOptions = {}) {
    const where = options.offset === undefined ? "" : `, at offset ${options.offset}`;
    super(message + where, options.cause === undefined ? undefined : { cause: options.cause });
    this.#what = message;
    this.code = code;
    this.blame = options.blame ?? "remote";
    this.offset = options.offset;
    this.reply = options.reply;
    this.fatal = options.fatal ?? false;
    this.attempt = options.attempt;
  }

  /** @internal The same error, with more that is known of it. */
  with(more: Pick<SmtpErrorOptions, "offset" | "attempt">): SmtpError {
    const { blame, offset, reply, fatal, attempt, cause } = this;
    return new SmtpError(this.code, this.#what, { blame, offset, reply, fatal, attempt, cause, ...more });
  }
}

/** The caller gave us something that makes no sense. */
export function badArgument(message: string, cause?: unknown): SmtpError {
  return new SmtpError("bad-argument", message, { blame: "local", cause });
}
