// What a client does before its protocol's first byte: it sends a PROXY header, then does a TLS handshake. It knows
// neither how a connection is made nor what is said on it.
import { formatAddress } from "./address.ts";
import type { Address } from "./address.ts";
import type { Connection } from "./connection.ts";
import { TcpError } from "./errors.ts";
import { encodeProxyHeader } from "./proxy/encoder.ts";
import type { ProxyEndpoints, ProxyHeader, Tlv } from "./proxy/header.ts";
import { clientContext } from "./tls/handshake.ts";
import type { TlsClientOptions } from "./tls/options.ts";

/** For whom a client speaks: a PROXY header in short, with what usually stands in it left out. */
export interface ProxiedFor extends ProxyEndpoints {
  /** Default: 2. */
  readonly version?: 1 | 2 | undefined;
  /** Version 2 alone. Default: none. */
  readonly tlvs?: readonly Tlv[] | undefined;
  /** Only a whole `ProxyHeader` has one. */
  readonly command?: undefined;
}

/**
 * A PROXY header to send: `{ source, destination }`; a whole one, as received (`connection.proxy`) say; or `"local"`, which
 * is version 2's way to say that the client speaks for itself.
 */
export type OutgoingProxyHeader = ProxiedFor | ProxyHeader | "local";

export interface OpeningOptions {
  /**
   * Speak TLS from the first byte on; `true` for Node's defaults. The certificate must be for `host` as you gave it, whichever
   * of its addresses answers, or for `servername`; over a Unix socket, for `"localhost"`. Default: no TLS.
   */
  readonly tls?: true | Omit<TlsClientOptions, "deadline"> | undefined;
  /**
   * The PROXY protocol header to send first, before TLS. Offsets, `bytesSent` and the log begin behind it. Default: none.
   */
  readonly proxyProtocol?: OutgoingProxyHeader | undefined;
}

/** The same, ready for use. */
export interface Opening {
  readonly header: Buffer | undefined;
  readonly tls: TlsClientOptions | undefined;
}

/** What the options ask for on the way to `target`. @throws TcpError `bad-option`. */
export function openingOf({ tls, proxyProtocol }: OpeningOptions, target: Address): Opening {
  const header = proxyProtocol === undefined ? undefined : encodeProxyHeader(headerOf(proxyProtocol));
  if (tls === undefined) return { header, tls };
  const options = tls === true ? {} : tls;
  // A bad certificate is found here, not when the connection is there.
  clientContext(options);
  const host = target.kind === "tcp" ? target.host : undefined;
  // The deadline is that of connecting as a whole.
  return { header, tls: { ...options, servername: options.servername ?? host, deadline: Infinity } };
}

function headerOf(outgoing: OutgoingProxyHeader): ProxyHeader {
  if (outgoing === "local") return { version: 2, command: "local", endpoints: undefined, tlvs: [] };
  if (outgoing.command !== undefined) return outgoing;
  const { version = 2, source, destination, tlvs = [] } = outgoing;
  return { version, command: "proxy", endpoints: { source, destination }, tlvs };
}

/**
 * Does the handshake on a connection just made to `target`. When it fails, or `timeUp` says so, the connection is destroyed.
 * @throws TcpError `tls-failed`, whatever it was: a server that wants no TLS may reset as well as answer.
 */
export async function secure(
  connection: Connection,
  tls: TlsClientOptions,
  target: Address,
  timeUp: AbortSignal,
): Promise<void> {
  const expire = (): void => connection.destroy({ kind: "timeout", deadline: "handshake" });
  timeUp.addEventListener("abort", expire);
  try {
    if (timeUp.aborted) expire();
    if (connection.closeReason !== undefined) throw new Error("the connection closed before it");
    await connection.startTls("client", tls);
  } catch (error) {
    connection.destroy();
    const { message, cause = error } = error as Error;
    throw new TcpError("tls-failed", `no TLS with ${formatAddress(target)}: ${message}`, {
      blame: "remote",
      cause,
    });
  } finally {
    timeUp.removeEventListener("abort", expire);
  }
}
