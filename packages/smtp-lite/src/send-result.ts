// What became of a message that was sent: which recipients have it, which do not, and why. Types only.
import type { Reply } from "./codes.ts";

/** A recipient that a server did not take, and what it said. */
export interface RefusedRecipient {
  readonly address: string;
  readonly reply: Reply;
}

export interface SendMailResult {
  /** Recipients that the server took responsibility for. */
  readonly accepted: readonly string[];
  /** Recipients that it refused, each with its reply. */
  readonly refused: readonly RefusedRecipient[];
  /** The reply to the message. */
  readonly reply: Reply;
}

/** How far a message came that failed. */
export interface SendAttempt {
  /**
   * `not-accepted`: the server does not have the message, send it again if you like. `unknown`: all of it was sent, and
   * the connection ended before the reply, so sending it again may deliver it twice (RFC 1047).
   */
  readonly outcome: "not-accepted" | "unknown";
  /** Recipients that the server had said yes to. That counts for nothing without the message. */
  readonly accepted: readonly string[];
  /** Recipients that it had refused. */
  readonly refused: readonly RefusedRecipient[];
}
