// What MAIL and RCPT may say beside an address. Types, and what is so where nothing is said.
import type { Path } from "./address.ts";

/**
 * What kind of bytes the client says the body holds (RFC 6152; RFC 3030: `BINARYMIME` need not have lines). They are kept as
 * they are in any case.
 */
export type BodyType = "7BIT" | "8BITMIME" | "BINARYMIME";

/** What MAIL may say beside the sender. */
export interface MailParameters {
  /** The size that the client declares, in bytes (RFC 1870): a hint, no promise. */
  readonly size: number | undefined;
  readonly body: BodyType;
  /** Who first submitted the message, as the client says: a mailbox; `undefined` for `<>`, or no word (RFC 4954 section 5). */
  readonly submitter: string | undefined;
  /** SMTPUTF8: addresses and header fields need not be ASCII (RFC 6531). */
  readonly utf8: boolean;
  /** The message may be sent on under TLS only, to servers that promise the same (RFC 8689). */
  readonly requireTls: boolean;
  /** What a report of failure should give back, the message or its header; `undefined`: as you like (RFC 3461 section 4.3). */
  readonly ret: "FULL" | "HDRS" | undefined;
  /** The sender's name for this message, for reports about it (RFC 3461 section 4.4). */
  readonly envelopeId: string | undefined;
}

/** Every MAIL without a parameter shares it. */
export const NO_PARAMETERS: MailParameters = {
  size: undefined,
  body: "7BIT",
  submitter: undefined,
  utf8: false,
  requireTls: false,
  ret: undefined,
  envelopeId: undefined,
};

/** Of what a sender may want to hear (RFC 3461 section 4.1). */
export type DeliveryEvent = "SUCCESS" | "FAILURE" | "DELAY";

/** A recipient with what RCPT said of it: see RFC 3461. Any path is one. */
export interface Recipient extends Path {
  /** Of what to send reports. Empty: of nothing (`NEVER`). Absent: of failures, and of delays if you like. */
  readonly notify?: readonly DeliveryEvent[];
  /** The address that the sender wrote, before any forwarding: `type` is mostly `rfc822`. */
  readonly originalRecipient?: { readonly type: string; readonly address: string };
}
