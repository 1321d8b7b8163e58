// What goes wrong beside the bytes: time is up, or the connection is gone. Only errors are made here.
import { TcpError } from "@tcpkit/core";
import type { CloseReason } from "@tcpkit/core";
import { HttpError, ofClient } from "../errors.ts";
import type { HttpClientDeadlines } from "../limits.ts";

/** The reply is more than `bytes()` and `text()` gather. */
export function replyTooLarge(limit: number): HttpError {
  return ofClient(new HttpError("body-too-large", `the body is over ${limit} bytes`, { status: 413 }));
}

/** Its turn did not come in time. */
export function queueTimeout({ queue }: HttpClientDeadlines): HttpError {
  const message = `no connection was free for the request within ${queue} ms`;
  return ofClient(new HttpError("timeout", message, { blame: "local", status: 503, deadline: "queue" }));
}

/** The server did not send what is awaited in time. */
export function replyTimeout(awaited: "head" | "body", deadlines: HttpClientDeadlines): HttpError {
  const what = awaited === "head" ? "no reply" : "nothing more of the reply's body";
  return serverTimeout(awaited, `${what} within ${deadlines[awaited]} ms`);
}

/** Why connecting failed: core's error, but for a deadline, which is told as the others are. */
export function connectFailure(error: unknown): unknown {
  if (!(error instanceof TcpError) || error.code !== "connect-timeout") return error;
  return serverTimeout("connect", error.message, error);
}

/** The connection closed in the middle of an exchange. */
export function closedEarly(reason: CloseReason): HttpError {
  const cause = "cause" in reason ? reason.cause : undefined;
  if (reason.kind === "timeout" && reason.deadline === "write") {
    return serverTimeout("write", "the server takes no more of the request", cause);
  }
  const message = `the connection closed before the reply was complete (${reason.kind})`;
  return ofClient(new HttpError("connection-failed", message, { cause }));
}

function serverTimeout(
  deadline: "connect" | "head" | "body" | "write",
  message: string,
  cause?: unknown,
): HttpError {
  return ofClient(new HttpError("timeout", message, { blame: "remote", status: 504, deadline, cause }));
}
