// The connecting side. It knows addresses and deadlines; it knows no protocol.
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import type { Address } from "./address.ts";
import { formatAddress } from "./address.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions } from "./connection.ts";
import { TcpError } from "./errors.ts";

export interface ConnectOptions extends Pick<
  ConnectionOptions,
  "idleTimeout" | "allowHalfOpen" | "tap" | "service" | "timer"
> {
  /** The TCP port to connect to. Needed unless `path` is given. */
  readonly port?: number | undefined;
  /** The host to connect to. Default: `"127.0.0.1"`. */
  readonly host?: string | undefined;
  /** Connect to a Unix domain socket instead. */
  readonly path?: string | undefined;
  /** How long establishing the connection may take, in milliseconds. Default: 10,000. */
  readonly deadline?: number | undefined;
  /** Destroys the connection when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a connection without waiting: listen to `connect`, `error` and `close`. What is written before `connect`
 * is sent then.
 */
export function open(options: ConnectOptions): Connection {
  const { port, host = "127.0.0.1", path, deadline = 10_000, signal } = options;
  if (path === undefined && port === undefined)
    throw new TcpError("bad-option", "connect() needs a port or a path");
  const remote: Address =
    path === undefined ? { kind: "tcp", host, port: port ?? 0 } : { kind: "unix", path };
  const socket: Socket =
    path === undefined
      ? createConnection({ port: port ?? 0, host, allowHalfOpen: true, noDelay: true })
      : createConnection({ path, allowHalfOpen: true });
  const connection = new Connection(socket, { ...options, remote });
  const timer = setTimeout(() => {
    const cause = new TcpError(
      "connect-timeout",
      `no connection to ${formatAddress(remote)} within ${deadline} ms`,
    );
    connection.destroy({ kind: "timeout", deadline: "connect", cause });
  }, deadline);
  const abort = (): void => connection.destroy({ kind: "aborted", cause: abortError(signal) });
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  connection.once("close", () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
  socket.once("connect", () => {
    clearTimeout(timer);
    connection.connected();
  });
  return connection;
}

/**
 * Connects, and resolves when the connection is established.
 * @throws TcpError `connection-refused`, `connect-timeout`, `aborted`, `connect-failed` or `bad-option`.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const connection = open(options);
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(connectError(connection));
    // The close reason says it all; without this listener an early error would be dropped unseen.
    connection.once("close", failed);
    connection.once("connect", () => {
      connection.off("close", failed);
      resolve(connection);
    });
  });
}

function connectError(connection: Connection): TcpError {
  const reason = connection.closeReason;
  const cause = reason !== undefined && "cause" in reason ? reason.cause : undefined;
  if (cause instanceof TcpError) return cause;
  const where = connection.remote === undefined ? "the peer" : formatAddress(connection.remote);
  const code = (cause as NodeJS.ErrnoException)?.code;
  const options = { blame: "remote", cause } as const;
  if (code === "ECONNREFUSED" || code === "ENOENT") {
    return new TcpError("connection-refused", `nobody listens on ${where}`, options);
  }
  return new TcpError("connect-failed", `cannot connect to ${where}: ${cause?.message ?? "closed"}`, options);
}

function abortError(signal: AbortSignal | undefined): TcpError {
  return new TcpError("aborted", "connecting was aborted", { cause: signal?.reason });
}
