// The one error class of this layer. A protocol package has its own; neither extends the other.

/** Every way in which this layer fails, as a stable word that programs may compare. */
export type TcpErrorCode =
  | "address-in-use"
  | "address-unavailable"
  | "permission-denied"
  | "bad-option"
  | "not-listening"
  | "connection-refused"
  | "connect-failed"
  | "connect-timeout"
  | "timeout"
  | "reset"
  | "aborted"
  | "write-after-end"
  | "closed"
  | "handler-failed"
  | "transport-failed"
  | "worker-failed"
  | "line-too-long"
  | "frame-too-long"
  | "bad-frame"
  | "bare-lf"
  | "bare-cr"
  | "incomplete"
  | "bad-proxy-header"
  | "tls-failed"
  | "tls-active";

/** Who caused it: the program on this side, or the peer on the other. */
export type Blame = "local" | "remote";

export interface TcpErrorOptions {
  /** Who is to blame. Default: `"local"`. */
  readonly blame?: Blame;
  /** Absolute offset in the incoming byte stream, in bytes, where framing failed. */
  readonly offset?: number;
  readonly cause?: unknown;
}

/** An error of the TCP layer: what happened, who caused it and, for framing, where. */
export class TcpError extends Error {
  override readonly name = "TcpError";
  readonly code: TcpErrorCode;
  readonly blame: Blame;
  /** Absolute offset in the incoming byte stream, in bytes; `undefined` where no byte is to blame. */
  readonly offset: number | undefined;

  constructor(code: TcpErrorCode, message: string, options: TcpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.blame = options.blame ?? "local";
    this.offset = options.offset;
  }
}

/**
 * Ends a `switch` over a discriminated union: it does not compile while a case is missing.
 * @throws TypeError when untyped code gets here all the same.
 */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
