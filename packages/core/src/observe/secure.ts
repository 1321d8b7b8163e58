// The record of a TLS handshake that is done. It knows what TLS tells, and not how it was begun.
import type { TlsDetails } from "../tls/options.ts";
import type { Observation } from "./record.ts";

/** What is observed of connection `conn` once it is encrypted. */
export function secured(conn: number, { protocol, cipher, alpn, servername }: TlsDetails): Observation {
  return { kind: "secure", conn, protocol, cipher, alpn, servername };
}
