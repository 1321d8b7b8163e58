// Why a connection closed: exactly one typed reason for each.
import { TcpError } from "./errors.ts";

/** Which deadline of ours expired. */
export type DeadlineName = "connect" | "handshake" | "first-byte" | "message" | "idle" | "write";

/** Why a connection is closed. Whoever comes first wins: a reset after a timeout is still a timeout. */
export type CloseReason =
  /** The peer ended, and then so did we. */
  | { readonly kind: "ended" }
  /** The peer reset the connection, or vanished while we wrote. There was no `end`. */
  | { readonly kind: "reset"; readonly cause: Error }
  /** A deadline of ours expired, and which; or, without one, the kernel gave up on the peer. */
  | { readonly kind: "timeout"; readonly deadline?: DeadlineName; readonly cause?: Error }
  /** Cut short on this side: destroyed, a drain deadline, an AbortSignal, or a failure that nobody asked for. */
  | { readonly kind: "aborted"; readonly cause?: Error }
  /** The peer broke the protocol. */
  | { readonly kind: "protocol"; readonly cause: Error }
  /** We ended it in good order, or a handler of ours failed (then with its error as the cause). */
  | { readonly kind: "local"; readonly cause?: Error };

/** The reason behind a socket's error. */
export function reasonOf(error: Error): CloseReason {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
      return { kind: "reset", cause: error };
    case "ETIMEDOUT":
      return { kind: "timeout", cause: error };
    default:
      return { kind: "aborted", cause: error };
  }
}

/** The reason behind an error of what comes before a protocol: the PROXY header, the TLS handshake. */
export function openingReason(error: unknown): CloseReason {
  const cause = error instanceof Error ? error : new TcpError("transport-failed", String(error));
  switch (cause instanceof TcpError ? cause.code : undefined) {
    case "timeout":
      return { kind: "timeout", deadline: "handshake", cause };
    case "reset":
      return { kind: "reset", cause };
    case "incomplete":
      return { kind: "ended" };
    case "closed":
      return { kind: "aborted", cause };
    default:
      return { kind: "protocol", cause };
  }
}

/** The error behind a close reason, if there is one. */
export function causeOf(reason: CloseReason): Error | undefined {
  return "cause" in reason ? reason.cause : undefined;
}
