// What a connection runs over.
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A socket, plain or TLS's, or one end of `stream.duplexPair()` in a test. Made with `allowHalfOpen`. */
export interface Transport extends Duplex, Partial<Pick<Socket, "bytesWritten" | "resetAndDestroy">> {
  /** What a TLS socket runs over. */
  below?: Transport;
}
