// What TLS is told and what it tells: options for both roles, and the details of a connection that is encrypted.
import type {
  ConnectionOptions as NodeClientOptions,
  PeerCertificate,
  TlsOptions as NodeOptions,
} from "node:tls";

/** What both roles may say, as `tls.createSecureContext()` of Node takes it. */
type Common =
  | "ALPNProtocols"
  | "ca"
  | "cert"
  | "ciphers"
  | "crl"
  | "ecdhCurve"
  | "key"
  | "maxVersion"
  | "minVersion"
  | "passphrase"
  | "pfx"
  | "rejectUnauthorized"
  | "sigalgs";

interface HandshakeOptions {
  /** How long the whole handshake may take, in milliseconds. Default: 10,000. */
  readonly deadline?: number | undefined;
}

/**
 * TLS in the server's role: Node's options of these names, with its defaults; `key` and `cert` (or `pfx`) are needed. With
 * `requestCert`, a client whose certificate `ca` does not vouch for is turned away unless `rejectUnauthorized` is false.
 */
export interface TlsOptions
  extends
    HandshakeOptions,
    Pick<
      NodeOptions,
      Common | "ALPNCallback" | "honorCipherOrder" | "requestCert" | "SNICallback" | "ticketKeys"
    > {}

/** TLS in the client's role: Node's options of these names, with its defaults. */
export interface TlsClientOptions
  extends HandshakeOptions, Pick<NodeClientOptions, Common | "checkServerIdentity" | "session"> {
  /** The name that the server's certificate must have, sent as SNI. Default: the host that was connected to. */
  readonly servername?: string | undefined;
}

/**
 * In which role to begin TLS, and how. In the server's, certificates are read once for each options object: keep one for all
 * connections, and take a new one when the certificate is renewed.
 */
export type StartTls =
  | readonly [role: "server", options: TlsOptions]
  | readonly [role: "client", options?: TlsClientOptions];

/** An encrypted connection's TLS. */
export interface TlsDetails {
  /** `"TLSv1.3"`, say. */
  readonly protocol: string;
  /** The cipher suite by its name in the standards: `"TLS_AES_256_GCM_SHA384"`, say. */
  readonly cipher: string;
  /** The application protocol that was negotiated (ALPN, RFC 7301); `undefined` for none. */
  readonly alpn: string | undefined;
  /** The name that the client asked for (SNI, RFC 6066); `undefined` for none. */
  readonly servername: string | undefined;
  /** True when the peer showed a certificate that a trusted authority vouches for. */
  readonly authorized: boolean;
  /** The peer's certificate; `undefined` when it showed none. */
  peerCertificate(): PeerCertificate | undefined;
}

/** How long a handshake may take by default, in milliseconds. */
export const HANDSHAKE_DEADLINE = 10_000;
