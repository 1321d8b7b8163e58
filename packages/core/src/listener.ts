// The listening side: binds a TCP port or a Unix socket and hands out connections. It knows no protocol.
import { EventEmitter, once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { Acceptor } from "./acceptor.ts";
import type { AcceptorOptions, Arrival } from "./acceptor.ts";
import type { DropReason } from "./admission.ts";
import { addressOf, formatAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { Bag } from "./bag.ts";
import { causeOf } from "./close-reason.ts";
import type { CloseReason } from "./close-reason.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { drain } from "./drain.ts";
import type { DrainOptions, DrainResult } from "./drain.ts";
import { TcpError } from "./errors.ts";
import type { ListenerEvents } from "./events.ts";
import { acceptFastReaders } from "./fast-read.ts";
import { listenerTap } from "./observe/diagnostics.ts";
import type { Tap } from "./observe/record.ts";
import { secured } from "./observe/observations.ts";
import type { TlsOptions } from "./tls/options.ts";
import { removeStaleSocket } from "./unix-socket.ts";

export interface ListenOptions
  extends
    AcceptorOptions,
    Pick<ConnectionOptions, "idleTimeout" | "allowHalfOpen" | "tap" | "service" | "timer"> {
  /** The port to listen on, 0 for any free one. Default: 0. */
  readonly port?: number | undefined;
  /** The address to listen on. Default: `"127.0.0.1"`, so that nothing is open to the network by accident. */
  readonly host?: string | undefined;
  /** Listen on a Unix domain socket at this path instead. A stale socket file is taken away first. */
  readonly path?: string | undefined;
  /** Permissions of the Unix socket's file. Default: `0o600`, for the owner alone. */
  readonly mode?: number | undefined;
  /**
   * Each process that listens on the port accepts by itself, and the kernel spreads the connections (`SO_REUSEPORT`); systems
   * without it fail to listen. Default: false.
   */
  readonly reusePort?: boolean | undefined;
  /** Connections that the kernel may hold before they are accepted. Default: 1024. */
  readonly backlog?: number | undefined;
  /** Closes the listener when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Connections that are open, in no order. */
export interface Connections extends Iterable<Connection> {
  readonly size: number;
}

/**
 * A typed TCP listener. Make one with `listen()`, or with `createListener()` and then `.listen()` where even the
 * `listening` event matters.
 */
export class Listener extends EventEmitter<ListenerEvents> implements AsyncDisposable {
  /** The connections that are open now. */
  readonly connections: Connections;
  readonly #connections = new Bag<Connection>();
  readonly #options: ListenOptions;
  readonly #server: Server;
  readonly #tap: Tap;
  readonly #acceptor: Acceptor;
  #address: Address | undefined;
  /** What all its connections have in common. */
  #connectionOptions: ConnectionOptions = {};
  #closing: Promise<DrainResult> | undefined;

  constructor(options: ListenOptions = {}) {
    super({ captureRejections: true });
    this.connections = this.#connections;
    this.#options = options;
    this.#tap = listenerTap(options.tap);
    // Half-open here, so that a connection decides for itself what the peer's FIN means.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#acceptor = new Acceptor(options, {
      accepted: this.#onAccepted,
      dropped: this.#onDropped,
    });
    this.#server.on("connection", this.#acceptor.accept);
  }

  /** Where it listens. @throws TcpError `not-listening` before that is known. */
  get address(): Address {
    if (this.#address === undefined) {
      throw new TcpError("not-listening", "no address yet: await listen() first");
    }
    return this.#address;
  }

  /** The TCP port; 0 on a Unix socket. @throws TcpError `not-listening`. */
  get port(): number {
    const address = this.address;
    return address.kind === "tcp" ? address.port : 0;
  }

  /** The TCP host; empty on a Unix socket. @throws TcpError `not-listening`. */
  get host(): string {
    const address = this.address;
    return address.kind === "tcp" ? address.host : "";
  }

  /** True once `close()` was called. */
  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Binds and listens.
   * @throws TcpError `address-in-use`, `address-unavailable`, `permission-denied`, `bad-option`. The same error is
   * emitted as `error` where somebody listens to that.
   */
  async listen(): Promise<this> {
    const { path, signal } = this.#options;
    try {
      signal?.throwIfAborted();
      await this.#bind();
      if (path !== undefined) await chmod(path, this.#options.mode ?? 0o600);
    } catch (cause) {
      const error = this.#listenError(cause);
      this.#tap.observe({ kind: "error", code: error.code, message: error.message });
      if (this.listenerCount("error") > 0) this.emit("error", error);
      throw error;
    }
    this.#address = addressOf(this.#server.address() ?? "");
    this.#connectionOptions = { ...this.#options, local: this.#address, onClosed: this.#onConnectionClosed };
    // TLS reads by itself.
    if (this.#options.tls === undefined) acceptFastReaders(this.#server);
    signal?.addEventListener("abort", () => void this.close(), { once: true });
    this.#tap.observe({ kind: "listening", service: this.#options.service ?? "tcp", local: this.#address });
    this.emit("listening", this.#address);
    return this;
  }

  /**
   * Takes new TLS options, a renewed certificate say, for handshakes from now on; connections that are open stay as they are.
   * @throws TcpError `bad-option` for a key or certificate that is none, or a listener without `tls`; nothing changes then.
   */
  reloadTls(options: TlsOptions): void {
    if (this.#options.tls === undefined) throw new TcpError("bad-option", "this listener speaks no TLS");
    this.#acceptor.reloadTls(options);
  }

  /**
   * Drains: stops accepting, lets each protocol say goodbye, waits up to the deadline, then destroys what is left.
   * Resolves when the last connection is gone, with how many ended in order and how many were cut.
   */
  close(options: DrainOptions = {}): Promise<DrainResult> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal A promise that a `connection` listener returned was rejected: only its connection ends. */
  [Symbol.for("nodejs.rejection")](error: unknown, _event: string, subject?: unknown): void {
    if (subject instanceof Connection) subject.fail(error);
    else process.emitWarning(error instanceof Error ? error : String(error));
  }

  async #close(options: DrainOptions): Promise<DrainResult> {
    const listening = this.#server.listening;
    const closed = new Promise<void>((resolve) => {
      this.#server.once("close", resolve);
    });
    if (listening) this.#server.close();
    this.#acceptor.close();
    const { service = "tcp" } = this.#options;
    const local = this.#address;
    const connections = this.#connections.size;
    if (local !== undefined) this.#tap.observe({ kind: "draining", service, local, connections });
    const result = await drain(this.#connections, options);
    if (listening) await closed;
    if (local !== undefined) this.#tap.observe({ kind: "drained", service, local, ...result });
    this.emit("close");
    return result;
  }

  async #bind(): Promise<void> {
    const { port = 0, host = "127.0.0.1", path, backlog = 1024, reusePort = false } = this.#options;
    const target = path === undefined ? { port, host, backlog, reusePort } : { path, backlog };
    const listening = (): Promise<unknown> => once(this.#server.listen(target), "listening");
    try {
      await listening();
    } catch (error) {
      // Not looked at before: to the workers of a cluster, which share it, a path in use is free.
      if (path === undefined || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await removeStaleSocket(path);
      await listening();
    }
    // Accepting can fail later (no descriptors left, say): that is reported, and the listener goes on.
    this.#server.on("error", (error) => this.#onError(error));
  }

  readonly #onAccepted = (arrival: Arrival): void => {
    const connection = new Connection(arrival.socket, this.#connectionOptions, arrival);
    arrival.socket.resume();
    this.#connections.add(connection);
    if (connection.tap !== undefined) this.#observe(connection, connection.tap);
    try {
      this.emit("connection", connection);
    } catch (error) {
      connection.fail(error);
    }
    if (this.#closing !== undefined) connection.driver?.onGoodbye();
  };

  #observe({ id: conn, local, remote, peer, proxy, tls }: Connection, tap: Tap): void {
    const { service = "tcp" } = this.#options;
    const proxied = proxy === undefined ? {} : { peer };
    tap.observe({ kind: "connection", conn, service, local, remote, ...proxied });
    if (tls !== undefined) tap.observe(secured(conn, tls));
  }

  readonly #onConnectionClosed = (connection: Connection): void => {
    this.#connections.delete(connection);
    this.#acceptor.release(connection.remote);
  };

  readonly #onDropped = (
    remote: Address | undefined,
    reason: DropReason,
    closeReason?: CloseReason,
  ): void => {
    const cause =
      closeReason === undefined ? {} : { cause: causeOf(closeReason)?.message ?? closeReason.kind };
    this.#tap.observe({ kind: "drop", service: this.#options.service ?? "tcp", remote, reason, ...cause });
    this.emit("drop", { remote, reason, closeReason });
  };

  #onError(cause: Error): void {
    const error = new TcpError("transport-failed", `accepting failed: ${cause.message}`, { cause });
    this.#tap.observe({ kind: "error", code: error.code, message: error.message });
    if (this.listenerCount("error") > 0) this.emit("error", error);
    else process.emitWarning(error);
  }

  #listenError(cause: unknown): TcpError {
    if (cause instanceof TcpError) return cause;
    const { port = 0, host = "127.0.0.1", path } = this.#options;
    const where = path ?? formatAddress({ kind: "tcp", host, port });
    const code = (cause as NodeJS.ErrnoException).code;
    switch (code) {
      case "EADDRINUSE":
        return new TcpError("address-in-use", `${where} is already in use`, { cause });
      case "EACCES":
      case "EPERM":
        return new TcpError("permission-denied", `no permission to listen on ${where}, or no such folder`, {
          cause,
        });
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
      case "ENOENT":
        return new TcpError("address-unavailable", `${where} is no address of this machine`, { cause });
      case "ERR_SOCKET_BAD_PORT":
        return new TcpError("bad-option", `port must be 0 to 65535, not ${port}`, { cause });
      default:
        return new TcpError("transport-failed", `cannot listen on ${where}: ${String(cause)}`, { cause });
    }
  }
}

/** Makes a listener that does not listen yet. */
export function createListener(options: ListenOptions = {}): Listener {
  return new Listener(options);
}

/** Listens on a TCP port or a Unix socket. @throws TcpError as `Listener.listen`. */
export async function listen(options: ListenOptions = {}): Promise<Listener> {
  return new Listener(options).listen();
}
