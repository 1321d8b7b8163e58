// What a transport tells its connection. One function for all connections in place of six closures for each: a transport
// carries a mark that says whose it is.
import type { Transport } from "./transport.ts";

/** Who listens to a transport. */
export interface TransportEvents {
  onRead(chunk: Buffer): void;
  onPeerEnd(): void;
  onDrained(): void;
  onFailed(cause: Error): void;
  onGone(): void;
}

const OWNER = Symbol("connection");
type Owned = Transport & { [OWNER]: TransportEvents };

/** Lets `owner` hear of everything, and begins to read. */
export function attach(transport: Transport, owner: TransportEvents): void {
  (transport as Owned)[OWNER] = owner;
  transport.on("data", data);
  transport.on("end", end);
  transport.on("drain", drain);
  transport.on("error", error);
  transport.on("close", close);
}

/** The owner hears no more of what flows, but still of the transport's end. */
export function detachFlow(transport: Transport): void {
  transport.off("data", data).off("end", end).off("drain", drain);
}

/** The owner hears nothing more. */
export function detach(transport: Transport): void {
  detachFlow(transport);
  transport.off("error", error).off("close", close);
}

function data(this: Transport, chunk: Buffer): void {
  (this as Owned)[OWNER].onRead(chunk);
}

function end(this: Transport): void {
  (this as Owned)[OWNER].onPeerEnd();
}

function drain(this: Transport): void {
  (this as Owned)[OWNER].onDrained();
}

function error(this: Transport, cause: Error): void {
  (this as Owned)[OWNER].onFailed(cause);
}

function close(this: Transport): void {
  (this as Owned)[OWNER].onGone();
}
