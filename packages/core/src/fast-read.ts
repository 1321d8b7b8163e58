// A quicker way to read from accepted sockets. Node allocates a Buffer of 64 KiB for every read of a server's socket,
// and passes what came through its stream machinery; its reusable read buffer (`onread`) it offers to client sockets
// only. Here a server makes its accepted sockets with one, too.
//
// It leans on parts of Node that are not documented, so all of it is here; it looks whether they are there, and where
// they are not, or where TCPKIT_FAST_READ=off is set, sockets stay as they are. What comes out is the same.
import { Socket } from "node:net";
import type { Server } from "node:net";

/** The undocumented parts. */
interface Inside {
  readonly _handle: { onconnection?: (this: unknown, status: number, handle?: Accepted) => void } | null;
}

interface Accepted {
  readonly useUserBuffer?: unknown;
}

const enabled = process.env["TCPKIT_FAST_READ"] !== "off";

/** Filled by one read at a time and copied from at once, so that all connections can share it. */
let shared: { readonly buffer: Buffer; readonly callback: typeof onRead } | undefined;

/**
 * Makes a server that listens accept sockets that read fast, where that is possible. Either way they come paused, and their
 * `data` events carry chunks that stay as they are. The server no longer counts those that do: its `close` waits for none.
 */
export function acceptFastReaders(server: Server): void {
  const { _handle: listening } = server as unknown as Inside;
  const accept = listening?.onconnection;
  if (!enabled || listening === null || typeof accept !== "function") return;
  shared ??= { buffer: Buffer.allocUnsafeSlow(65_536), callback: onRead };
  const onread = shared;
  listening.onconnection = function (status, handle): void {
    if (typeof handle?.useUserBuffer !== "function") {
      accept.call(this, status, handle);
      return;
    }
    // `manualStart` leaves it unread until somebody asks, as `pauseOnConnect` does.
    const socket = new Socket({ handle, allowHalfOpen: true, manualStart: true, onread } as object);
    socket.setNoDelay(true);
    socket.pause();
    server.emit("connection", socket);
  };
}

/** Node calls it with the socket as `this`. */
function onRead(this: Socket, length: number, buffer: Uint8Array): boolean {
  const chunk = Buffer.allocUnsafe(length);
  chunk.set(length === buffer.length ? buffer : buffer.subarray(0, length));
  this.emit("data", chunk);
  return true;
}
