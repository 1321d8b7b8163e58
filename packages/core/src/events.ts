// The events of listeners and connections, with their payloads. What is true of each stands here, beside its name.
import type { Address } from "./address.ts";
import type { DropReason } from "./admission.ts";
import type { CloseReason } from "./close-reason.ts";
import type { Connection } from "./connection.ts";
import type { TcpError } from "./errors.ts";

/** A connection that was turned away. */
export interface Drop {
  /** Who it was; `undefined` on a Unix socket, or when the client has gone already. */
  readonly remote: Address | undefined;
  readonly reason: DropReason;
  /** How a client ended that was accepted, with reason `"proxy-header"` or `"handshake"`; else `undefined`. */
  readonly closeReason?: CloseReason | undefined;
}

export interface ListenerEvents {
  /** The port or Unix socket is bound; the address is known only now. */
  listening: [address: Address];
  /** A connection was accepted. The kernel finished the three-way handshake before this. */
  connection: [connection: Connection];
  /** Closed: `close()` was called, and the last connection is gone. */
  close: [];
  /** Listening failed, for instance because the port is in use. No `close` follows. It never ends the process. */
  error: [error: TcpError];
  /** A connection was turned away, and why. */
  drop: [drop: Drop];
}

export interface ConnectionEvents {
  /** Client side only: the connection is established. What was written before is sent now. */
  connect: [];
  /** A chunk, not a message: two writes may come as one, one as many, and a character may be cut in two. */
  data: [chunk: Buffer];
  /** The peer ended its side, and all it sent has been read. Unless half-open is allowed, ours ends next. */
  end: [];
  /** Our own write buffer has emptied after `write()` returned `false`. The peer's writes never cause it. */
  drain: [];
  /** Something failed; `close` follows. A reset comes as `error`, then `close`, without an `end`. */
  error: [error: TcpError];
  /** Fully closed, exactly once, with the one reason. */
  close: [reason: CloseReason];
  /** Nothing was read or written for the time set. Only a notification: nothing is closed. */
  timeout: [];
}
