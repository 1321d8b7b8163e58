// What several tests need: connections of both sides over loopback, and raw sockets that misbehave on purpose.
import { once } from "node:events";
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { connect, listen } from "../src/index.ts";
import type { CloseReason, Connection, ConnectOptions, Listener, ListenOptions } from "../src/index.ts";

/** A listener, and one accepted connection with the client's end of it. */
export async function joined(
  options: ListenOptions & { client?: Omit<ConnectOptions, "port"> } = {},
): Promise<{ listener: Listener; server: Connection; client: Connection }> {
  const listener = await listen(options);
  const accepted = once(listener, "connection") as Promise<[Connection]>;
  const client = await connect({ port: listener.port, ...options.client });
  const [server] = await accepted;
  return { listener, server, client };
}

/** A raw socket of Node's, for peers that do what core would never do. */
export async function rawClient(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  socket.on("error", () => {});
  return socket;
}

/** Why a connection closed, once it has. */
export function closed(connection: Connection): Promise<CloseReason> {
  if (connection.closed && connection.closeReason !== undefined)
    return Promise.resolve(connection.closeReason);
  // Not once() of node:events: that rejects on the `error` which may come first.
  return new Promise((resolve) => connection.once("close", resolve));
}

/** The names of a connection's events, in the order in which they come. */
export function eventNames(connection: Connection): string[] {
  const names: string[] = [];
  for (const name of ["connect", "data", "end", "drain", "error", "close", "timeout"] as const) {
    connection.on(name, () => names.push(name));
  }
  return names;
}

/** Everything a socket sends until its end, as text. */
export async function readAll(socket: Socket | Connection): Promise<string> {
  const chunks: Buffer[] = [];
  (socket as Socket).on("data", (chunk) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks).toString("utf8");
}
