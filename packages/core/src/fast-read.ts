// A quicker way to read from accepted sockets. Node allocates a Buffer of 64 KiB for every read of a server's socket,
// and passes what came through its stream machinery; its reusable read buffer (`onread`) it offers to client sockets
// only. Here a server makes its accepted sockets with one, too.
//
// It leans on parts of Node that are not documented, so all of it is here; it looks whether they are there, and where
// they are not, or where TCPKIT_FAST_READ=off is set, sockets stay as they are. What comes out is the same.
import { Socket } from "node:net";
import type { Server } from "node:net";
import { isWorthLending, lend, READ_SIZE, recycle, takeReadBuffer } from "./read-buffers.ts";

/** The undocumented parts. */
interface Inside {
  readonly _handle: { onconnection?: (this: unknown, status: number, handle?: Accepted) => void } | null;
}

interface Accepted {
  readonly useUserBuffer?: unknown;
}

const enabled = process.env["TCPKIT_FAST_READ"] !== "off";

/** Filled by one read at a time and copied from at once, so that all connections can share it. */
let shared: Buffer | undefined;

/** What a socket reads into next, where that changes: Node asks for it when it is made, and after each read. */
let next: Buffer | undefined;

/**
 * Makes a server that listens accept sockets that read fast, where that is possible. Either way they come paused, and their
 * `data` events carry chunks that stay as they are. The server no longer counts those that do: its `close` waits for none.
 */
export function acceptFastReaders(server: Server): void {
  const { _handle: listening } = server as unknown as Inside;
  const accept = listening?.onconnection;
  if (!enabled || listening === null || typeof accept !== "function") return;
  shared ??= Buffer.allocUnsafeSlow(READ_SIZE);
  const onread = { buffer: takeNext, callback: onRead };
  listening.onconnection = function (status, handle): void {
    if (typeof handle?.useUserBuffer !== "function") {
      accept.call(this, status, handle);
      return;
    }
    next = shared;
    // `manualStart` leaves it unread until somebody asks, as `pauseOnConnect` does.
    const socket = new Socket({ handle, allowHalfOpen: true, manualStart: true, onread } as object);
    socket.setNoDelay(true);
    socket.pause();
    server.emit("connection", socket);
  };
}

/**
 * Node calls it with the socket as `this`. A short read is copied out of the shared buffer. Where a read fills half of it
 * more will come: then the socket gets buffers of its own, which are handed out as they are, until a short read comes.
 */
function onRead(this: Socket, length: number, buffer: Buffer<ArrayBuffer>): boolean {
  const short = length < READ_SIZE / 2;
  const own = buffer !== shared;
  try {
    this.emit("data", own && !short ? lend(buffer, length) : copy(buffer, length));
  } catch (error) {
    // Who threw may have kept the chunk, and this socket would read into it again.
    this.destroy();
    throw error;
  }
  // Nobody was given the buffer that a short read came in.
  if (own && short) recycle(lend(buffer, length));
  if (!short) next = takeReadBuffer();
  else if (own) next = shared;
  return true;
}

/** What was read, out of the buffer that is read into again. */
function copy(buffer: Buffer, length: number): Buffer {
  const lending = length >= READ_SIZE / 2 || isWorthLending(length);
  const chunk = lending ? takeReadBuffer(length) : Buffer.allocUnsafe(length);
  buffer.copy(chunk, 0, 0, length);
  return lending ? lend(chunk, length) : chunk;
}

function takeNext(): Buffer | undefined {
  const buffer = next;
  next = undefined;
  return buffer;
}
