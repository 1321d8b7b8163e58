// What a PROXY protocol header says, whichever version it came in. Types alone; the bytes are in v1.ts and v2.ts.
// The specification: https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
import type { Address } from "../address.ts";

/** The addresses of the connection that the proxy stands for. Both are of one family. */
export interface ProxyEndpoints {
  /** Who connected to the proxy. */
  readonly source: Address;
  /** What address of the proxy's they connected to. */
  readonly destination: Address;
}

/** A piece of a version 2 header beside the addresses: type, length, value (section 2.2). */
export type Tlv =
  /** The application protocol that was negotiated by TLS (ALPN): `"h2"`, say. */
  | { readonly type: "alpn"; readonly protocol: string }
  /** The host name that the client asked for, by TLS's SNI for instance. UTF-8. */
  | { readonly type: "authority"; readonly host: string }
  /** The header has a checksum (CRC-32C). It was right, or else there would be no header; it is made on writing. */
  | { readonly type: "crc32c" }
  /** Padding of so many bytes, to be ignored. */
  | { readonly type: "noop"; readonly length: number }
  /** The proxy's name for this connection, 128 bytes at most. */
  | { readonly type: "unique-id"; readonly bytes: Uint8Array }
  /** What TLS the client spoke with the proxy: a `pp2_tlv_ssl` as it came. */
  | { readonly type: "ssl"; readonly bytes: Uint8Array }
  /** Any other, with its type's number: the network namespace (0x30), or a cloud provider's own (0xE0 to 0xEF). */
  | { readonly type: "other"; readonly code: number; readonly bytes: Uint8Array };

export interface ProxyHeader {
  readonly version: 1 | 2;
  /** `"local"` (version 2 alone): the proxy speaks for itself, to see whether the server is well. */
  readonly command: "proxy" | "local";
  /** `undefined` when the proxy does not know or does not say: then the connection's own addresses are meant. */
  readonly endpoints: ProxyEndpoints | undefined;
  /** In the order in which they came; always empty in version 1 and for `"local"`. */
  readonly tlvs: readonly Tlv[];
}
