// What is known of a message before its content: who sends, from where, to whom. Types only.
import type { TlsDetails } from "@tcpkit/core";
import type { Path } from "./address.ts";
import type { MailParameters, Recipient } from "./parameter-types.ts";
import type { SaslIdentity } from "./sasl/index.ts";

/** A client that has connected. */
export interface Client {
  /** `"127.0.0.1"`, or empty on a Unix socket. */
  readonly remoteAddress: string;
  /** 0 on a Unix socket. */
  readonly remotePort: number;
  /** The host name of the address; `undefined` where it has none, and without the option `reverseLookup`. */
  readonly remoteName: string | undefined;
  /** What encrypts the connection; `undefined` while nothing does. */
  readonly tls: TlsDetails | undefined;
}

/**
 * A message whose sender is known, and no more. `submitter` is an authenticated client's word; what others say of it is not
 * passed on (RFC 4954 section 5).
 */
export interface Mail extends Client, MailParameters {
  /** Unique to this message, in this process and others; it sorts by time, and is safe as a file name. */
  readonly id: string;
  /** What the client called itself: nothing proves it. */
  readonly helo: string;
  /** The client said EHLO, not HELO. */
  readonly extended: boolean;
  /** Who the client proved to be (AUTH, RFC 4954); `undefined`: it did not. */
  readonly auth: SaslIdentity | undefined;
  /** The reverse path; `null` for `<>`, as bounces have it (RFC 5321 section 4.5.5). */
  readonly from: Path | null;
}

/** A message that is about to come: it has a sender and at least one recipient. */
export interface Envelope extends Mail {
  /** The recipients that were accepted, in order. */
  readonly to: readonly [Recipient, ...Recipient[]];
  /** The `Received:` header field to put in front of the content, CRLF at its end (RFC 5321 section 4.4). */
  readonly received: string;
}
