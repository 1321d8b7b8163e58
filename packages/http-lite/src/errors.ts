// The one error class of this package: what went wrong, who is to blame, and which status says so on the wire.
// It knows no bytes and no sockets.
import type { Blame } from "@tcpkit/core";

/** Every way in which this layer fails, as a stable word that programs may compare. */
export type HttpErrorCode =
  // A line, a target or a version (RFC 9112 §2, §3).
  | "bare-lf"
  | "bare-cr"
  | "bad-start-line"
  | "bad-version"
  | "unsupported-version"
  | "bad-target"
  | "target-too-long"
  | "bad-host"
  | "unknown-method"
  | "refused-method"
  // Fields (RFC 9112 §5).
  | "bad-field"
  | "folded-field"
  | "head-too-large"
  | "too-many-fields"
  | "unknown-expectation"
  // Body framing (RFC 9112 §6, §7).
  | "bad-content-length"
  | "bad-transfer-encoding"
  | "unknown-coding"
  | "conflicting-framing"
  | "bad-chunk"
  | "chunk-extensions-too-large"
  | "bad-trailer"
  | "body-too-large"
  // The conversation.
  | "incomplete"
  | "timeout"
  | "unexpected-bytes"
  | "connection-failed"
  | "pool-full"
  // The program on this side.
  | "bad-reply"
  | "bad-request"
  | "length-mismatch"
  | "wrong-state"
  | "aborted";

/** Which deadline of a client is over, with code `timeout`: a member of `HttpClientDeadlines`. */
export type HttpDeadlineName = "queue" | "connect" | "head" | "body" | "write";

export interface HttpErrorOptions {
  /** Who is to blame. Default: `"remote"` for a status in the 400s and for 501 and 505, otherwise `"local"`. */
  readonly blame?: Blame;
  /** The status that says so on the wire. Default: 400. */
  readonly status?: number;
  /** Absolute offset in the incoming byte stream, in bytes, of the first byte that is wrong. */
  readonly offset?: number;
  /** Fields that the status asks for, as `Allow` with 405. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Which deadline is over, in the client's role. */
  readonly deadline?: HttpDeadlineName;
  readonly cause?: unknown;
}

/** An error of the HTTP layer. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: HttpErrorCode;
  readonly blame: Blame;
  /** What a server answers with; in the client's role only a classification. */
  readonly status: number;
  /** Absolute offset in the incoming byte stream, in bytes; `undefined` where no byte is to blame. */
  readonly offset: number | undefined;
  /** Fields that belong to the answer. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Which deadline of a client is over; `undefined` for every other error. */
  readonly deadline: HttpDeadlineName | undefined;

  constructor(code: HttpErrorCode, message: string, options: HttpErrorOptions = {}) {
    const where = options.offset === undefined ? "" : `, at offset ${options.offset}`;
    super(message + where, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 400;
    const remote = this.status < 500 || this.status === 501 || this.status === 505;
    this.blame = options.blame ?? (remote ? "remote" : "local");
    this.offset = options.offset;
    this.headers = options.headers;
    this.deadline = options.deadline;
  }
}

/** Errors of the client's role. */
const ofClients = new WeakSet<HttpError>();

/** Marks an error as one that our own client had with its server. */
export function ofClient(error: HttpError): HttpError {
  ofClients.add(error);
  return error;
}

/**
 * True for an error that whoever sent us a request is to blame for, and is answered by its status. What our own client has
 * to say of another server is none, wherever it comes through.
 */
export function isOfPeer(error: unknown): error is HttpError {
  return error instanceof HttpError && error.blame === "remote" && !ofClients.has(error);
}

/** An error made by the program on this side: a reply or a request that must not be sent. */
export function localError(code: HttpErrorCode, message: string, cause?: unknown): HttpError {
  return new HttpError(code, message, { blame: "local", status: 500, cause });
}
