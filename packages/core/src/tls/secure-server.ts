// The server's side of TLS handshakes, by Node's own TLS server, which listens on nothing: sockets are handed to it.
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Server, TlsOptions as NodeOptions, TLSSocket } from "node:tls";
import { TcpError } from "../errors.ts";
import { nodeTls } from "./node-tls.ts";
import type { TlsOptions } from "./options.ts";

/** Told once how a handshake went. */
export interface Outcome {
  readonly secured: (socket: TLSSocket) => void;
  readonly failed: (cause: Error) => void;
}

/** Node's own timer is no deadline, since every byte restarts it; ours is in handshake.ts. */
const NO_TIMEOUT = 2 ** 31 - 1;

/** Certificates and all that goes with them, ready for any number of handshakes. */
export class SecureServer {
  readonly #options: NodeOptions;
  readonly #server: Server;
  readonly #waiting = new WeakMap<Duplex, Outcome>();

  /** @throws TcpError `bad-option` for a key or certificate that is none. */
  constructor(options: TlsOptions) {
    this.#options = { ...options, handshakeTimeout: NO_TIMEOUT };
    try {
      this.#server = handshakes(this.#options, (socket) => this.#take(socket));
    } catch (cause) {
      throw new TcpError("bad-option", `these TLS options cannot be used: ${String(cause)}`, { cause });
    }
  }

  /** Begins a handshake. Emitting `connection` is Node's documented way to hand any stream over. */
  begin(plain: Duplex, outcome: Outcome): void {
    if (plain instanceof Socket) {
      this.#waiting.set(plain, outcome);
      this.#server.emit("connection", plain);
    } else {
      // From which stream a TLS socket was made can be told for sockets alone: one in memory has a server of its own.
      handshakes(this.#options, () => outcome).emit("connection", plain);
    }
  }

  #take(socket: TLSSocket): Outcome | undefined {
    // Not documented, but it has always stood there.
    const { _parent: plain } = socket as unknown as { _parent: Duplex };
    const outcome = this.#waiting.get(plain);
    this.#waiting.delete(plain);
    return outcome;
  }
}

/** A server of Node's that tells each outcome. */
function handshakes(options: NodeOptions, outcomeOf: (socket: TLSSocket) => Outcome | undefined): Server {
  const server = nodeTls().createServer(options);
  server.on("secureConnection", (socket) => outcomeOf(socket)?.secured(socket));
  server.on("tlsClientError", (error, socket) => {
    // Where a client's certificate was refused, Node's own error says no more than that the socket closed.
    const refused = socket.authorizationError as unknown as string | null;
    outcomeOf(socket)?.failed(refused ? new Error(`the client's certificate: ${refused}`) : error);
  });
  return server;
}

const servers = new WeakMap<TlsOptions, SecureServer>();

/** The same for the same options object, so that certificates are not read for every connection. */
export function secureServer(options: TlsOptions): SecureServer {
  let server = servers.get(options);
  if (server === undefined) {
    server = new SecureServer(options);
    servers.set(options, server);
  }
  return server;
}
