// One message as it goes to one server: its parameters, and how its content travels. It knows which extension each thing needs;
// it knows no connection.
import { isAscii as isAsciiBytes } from "node:buffer";
import type { Path } from "./address.ts";
import { isAscii } from "./characters.ts";
import type { Extensions } from "./client-opening.ts";
import { SmtpError } from "./errors.ts";
import type { Content, OutgoingMail, PreparedMail } from "./outgoing-mail.ts";
import type { BodyType, MailParameters, Recipient } from "./parameter-types.ts";

/** What is to be sent, and how. */
export interface Shipment extends MailParameters {
  readonly from: Path | null;
  readonly to: readonly Recipient[];
  readonly content: Content;
  /** Several commands may be sent before the first is answered (RFC 2920). */
  readonly pipelining: boolean;
  /** The content goes by BDAT. */
  readonly chunked: boolean;
  /** There is a reply to the content for each recipient (RFC 2033 section 4.2). */
  readonly lmtp: boolean;
}

/** Where it goes. */
export interface Destination {
  readonly extensions: Extensions;
  /** The connection is encrypted. */
  readonly tls: boolean;
  readonly lmtp: boolean;
  /** What the owner of the client wants of BDAT: for all messages, for none, or for those that gain by it. */
  readonly chunking: boolean | undefined;
}

/** @throws SmtpError `not-offered`. */
export function shipmentFor(mail: PreparedMail, destination: Destination): Shipment {
  const { from, to, content, given } = mail;
  const { extensions, lmtp, chunking } = destination;
  const wanted = given.binary === true || (chunking ?? !(content instanceof Uint8Array));
  return {
    ...parametersFor(mail, destination),
    from,
    to,
    content,
    pipelining: extensions.has("PIPELINING"),
    chunked: wanted && extensions.has("CHUNKING"),
    lmtp,
  };
}

/** The parameters of MAIL towards this server. @throws SmtpError `not-offered`. */
function parametersFor(
  { from, to, content, given }: PreparedMail,
  { extensions, tls }: Destination,
): MailParameters {
  const need = (extension: string, what: string): true => {
    if (extensions.has(extension)) return true;
    throw new SmtpError("not-offered", `the server does not offer ${extension}: it cannot take ${what}`);
  };
  const international = !isAscii(from?.address ?? "") || to.some(({ address }) => !isAscii(address));
  const utf8 = given.utf8 === true || international;
  if (utf8) need("SMTPUTF8", "an address or a header that is not ASCII");
  const reports = to.some((path) => path.notify !== undefined || path.originalRecipient !== undefined);
  if (reports || given.ret !== undefined || given.envelopeId !== undefined) need("DSN", "wishes for reports");
  if (given.submitter !== undefined) need("AUTH", "a submitter");
  const size = content instanceof Uint8Array && extensions.has("SIZE") ? content.length : undefined;
  if (given.requireTls === true) {
    need("REQUIRETLS", "a message that requires TLS");
    // RFC 8689 section 2: what is offered in the clear is no offer.
    if (!tls)
      throw new SmtpError("not-offered", "the connection is not encrypted, and the message requires TLS");
  }
  return {
    size,
    body: bodyFor(content, given, extensions, need),
    submitter: given.submitter,
    utf8,
    requireTls: given.requireTls === true,
    ret: given.ret,
    envelopeId: given.envelopeId,
  };
}

function bodyFor(
  content: Content,
  { binary = false }: OutgoingMail,
  extensions: Extensions,
  need: (extension: string, what: string) => true,
): BodyType {
  if (binary) {
    need("CHUNKING", "binary content");
    need("BINARYMIME", "binary content");
    return "BINARYMIME";
  }
  if (content instanceof Uint8Array) {
    if (isAsciiBytes(content)) return "7BIT";
    need("8BITMIME", "8-bit content: encode it");
  }
  // A stream may hold anything: said to be 8-bit where that can be said, else its pieces are checked as they come.
  return extensions.has("8BITMIME") ? "8BITMIME" : "7BIT";
}
