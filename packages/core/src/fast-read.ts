// A quicker way to read from accepted sockets. Node allocates a Buffer of 64 KiB for every read of a server's socket,
// and passes what came through its stream machinery; its reusable read buffer (`onread`) it offers to client sockets
// only. This gives an accepted connection's handle to a second socket that has one.
//
// It leans on parts of Node that are not documented, so all of it is here; it looks whether they are there, and where
// they are not, or where TCPKIT_FAST_READ=off is set, the plain socket is used as it is. What comes out is the same.
import { Socket } from "node:net";

/** The undocumented parts. */
interface Inside {
  _handle: { useUserBuffer?: unknown } | null;
  _server: object | null;
  server: object | null;
}

const enabled = process.env["TCPKIT_FAST_READ"] !== "off";

/** Filled by one read at a time and copied from at once, so that all connections can share it. */
let shared: Buffer | undefined;

/**
 * The accepted, paused socket as one that reads fast; the same socket where that is not possible. Either way it is
 * still paused, and its `data` events carry chunks that stay as they are.
 */
export function withFastRead(accepted: Socket): Socket {
  const inside = accepted as unknown as Inside;
  const handle = inside._handle;
  if (!enabled || typeof handle?.useUserBuffer !== "function" || inside._server === null) return accepted;
  const server = inside._server;
  // The old socket lets go of everything, so that nothing is closed or counted twice.
  inside._handle = null;
  inside._server = null;
  inside.server = null;
  shared ??= Buffer.allocUnsafeSlow(65_536);
  const onread = { buffer: shared, callback: onRead };
  // `manualStart` leaves it unread until somebody asks, as `pauseOnConnect` left the old one.
  const socket = new Socket({ handle, allowHalfOpen: true, manualStart: true, onread } as object);
  const owner = socket as unknown as Inside;
  owner._server = server;
  owner.server = server;
  socket.pause();
  function onRead(length: number, buffer: Uint8Array): boolean {
    const chunk = Buffer.allocUnsafe(length);
    chunk.set(length === buffer.length ? buffer : buffer.subarray(0, length));
    socket.emit("data", chunk);
    return true;
  }
  return socket;
}
