// One TLS handshake over a stream that is open, in either role, with a deadline. It knows no connection and no listener.
import { isIP } from "node:net";
import type { SecureContext, TLSSocket } from "node:tls";
import { reasonOf } from "../close-reason.ts";
import { Deadline } from "../deadline.ts";
import type { DeadlineTimer } from "../deadline.ts";
import { TcpError } from "../errors.ts";
import type { Transport } from "../transport.ts";
import { nodeTls } from "./node-tls.ts";
import type { TlsClientOptions, TlsDetails } from "./options.ts";
import type { Outcome, SecureServer } from "./secure-server.ts";

/** Begins a handshake over the stream. */
export type Begin = (plain: Transport, outcome: Outcome) => void;

/** The server's role. */
export function asServer(server: SecureServer): Begin {
  return (plain, outcome) => server.begin(plain, outcome);
}

/** A client's certificate and whom it trusts, read. @throws TcpError `bad-option` for a key or certificate that is none. */
export function clientContext(options: TlsClientOptions): SecureContext {
  try {
    return nodeTls().createSecureContext(options);
  } catch (cause) {
    throw new TcpError("bad-option", `these TLS options cannot be used: ${String(cause)}`, { cause });
  }
}

/** The client's role, towards `host`. @throws TcpError `bad-option`. */
export function asClient(options: TlsClientOptions, host: string | undefined): Begin {
  const secureContext = clientContext(options);
  return (plain, { secured, failed }) => {
    const name = options.servername ?? host ?? "localhost";
    // SNI is for names alone (RFC 6066, section 3); an address is only compared with the certificate.
    const identity = isIP(name) > 0 ? { host: name } : { servername: name };
    const { servername: _servername, ...rest } = options;
    const socket = nodeTls().connect({ ...rest, ...identity, secureContext, socket: plain });
    const closed = (): void => failed(new Error("the connection closed"));
    socket.once("error", failed).once("close", closed);
    socket.once("secureConnect", () => {
      socket.off("error", failed).off("close", closed);
      secured(socket);
    });
  };
}

/**
 * Does a handshake, once what was written has left. What the stream has read and nobody has taken is taken for the peer's
 * part of it. When it fails, the stream is destroyed.
 * @throws TcpError `tls-failed`, `reset`, or `timeout` after `milliseconds`.
 */
export async function handshake(
  plain: Transport,
  begin: Begin,
  milliseconds: number,
  timer: DeadlineTimer,
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  using deadline = new Deadline(timer, () => {
    reject(new TcpError("timeout", `no TLS handshake within ${milliseconds} ms`, { blame: "remote" }));
  });
  deadline.set(milliseconds);
  const failed = (cause: Error): void => reject(failure(cause));
  const secured = (socket: TLSSocket & Transport): void => {
    socket.allowHalfOpen = true;
    socket.below = plain;
    // An error may come before whoever waits for this handshake gets to listen.
    socket.on("error", ignore);
    // A TLS socket cannot be reset; the one below it can.
    socket.resetAndDestroy = (): TLSSocket => {
      if (plain.resetAndDestroy === undefined) plain.destroy();
      else plain.resetAndDestroy();
      return socket;
    };
    resolve(socket);
  };
  const start = (error?: Error | null): void => {
    if (error) {
      failed(error);
      return;
    }
    // The TLS socket takes this over. A peer that ends in the middle of a handshake is gone.
    plain.allowHalfOpen = false;
    begin(plain, { secured, failed });
  };
  try {
    // TLS writes below the stream's buffer, and so would overtake what waits there.
    if (plain.writableLength === 0) start();
    else plain.write("", start);
    const socket = await promise;
    if (socket.destroyed) throw failure(new Error("the connection closed"));
    return socket;
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

function failure(cause: Error): TcpError {
  const code = reasonOf(cause).kind === "reset" ? "reset" : "tls-failed";
  return new TcpError(code, `the TLS handshake failed: ${cause.message}`, { blame: "remote", cause });
}

function ignore(): void {
  // The socket's `close` follows, and that is all that matters here.
}

/** The details of a socket whose handshake is done. */
export function detailsOf(socket: TLSSocket): TlsDetails {
  const { alpnProtocol, authorized } = socket;
  // On a server false, on a client null, where no name was sent; the types know of neither.
  const { servername } = socket as { servername?: string | false | null };
  return {
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    alpn: typeof alpnProtocol === "string" && alpnProtocol !== "" ? alpnProtocol : undefined,
    servername: typeof servername === "string" && servername !== "" ? servername : undefined,
    authorized,
    peerCertificate() {
      const certificate = socket.getPeerCertificate();
      // Node gives an empty object, or null, for none; the types say it is always one.
      return Object.keys(certificate ?? {}).length === 0 ? undefined : certificate;
    },
  };
}
