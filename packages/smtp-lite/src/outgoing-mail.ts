// One message as its sender gives it, checked and made ready to be sent. It knows what may stand in an envelope and which
// extension of the server each thing needs; it knows no connection.
import { isAscii as isAsciiBytes } from "node:buffer";
import { isAscii, parsePath } from "./address.ts";
import type { Path } from "./address.ts";
import type { Extensions } from "./client-opening.ts";
import { badArgument, SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import { LineCheck } from "./line-check.ts";
import { formatRcptParameters } from "./parameters.ts";
import type { BodyType, MailParameters, Recipient } from "./parameters.ts";
import { encodeXtext } from "./xtext.ts";

/** A recipient, with what to report of it (DSN, RFC 3461). */
export interface OutgoingRecipient extends Pick<Recipient, "notify" | "originalRecipient"> {
  readonly address: string;
}

/** One message. What needs an extension that the server does not offer is refused: `not-offered`. */
export interface OutgoingMail {
  /** The reverse path, `user@example.com`; `null` for `<>`. An address that is not ASCII needs SMTPUTF8. */
  readonly from: string | null;
  /** One recipient or several. */
  readonly to:
    | string
    | OutgoingRecipient
    | readonly [string | OutgoingRecipient, ...(string | OutgoingRecipient)[]];
  /**
   * The message, header and all. In a string any line ending will do, and text is sent as UTF-8; bytes must have
   * CRLF throughout, and arrive as they are.
   */
  readonly data: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The bytes of `data` need not be lines (BINARYMIME, RFC 3030). Default: false. */
  readonly binary?: boolean | undefined;
  /** Header fields are UTF-8 (SMTPUTF8, RFC 6531). Default: whether an address is not ASCII. */
  readonly utf8?: boolean | undefined;
  /** It may travel under TLS only, from here to its end, or come back (REQUIRETLS, RFC 8689). Default: false. */
  readonly requireTls?: boolean | undefined;
  /** What a report of failure gives back: the message or its header (DSN, RFC 3461). Default: as the server likes. */
  readonly ret?: "FULL" | "HDRS" | undefined;
  /**
   * Your name for this message in such reports: printable ASCII, at most 100 characters, where a space, "+" and "=" count
   * for three (RFC 3461 section 4.4). Default: none.
   */
  readonly envelopeId?: string | undefined;
  /** Who first submitted the message, a mailbox (AUTH= of RFC 4954 section 5). Default: no word of it. */
  readonly submitter?: string | undefined;
}

/** What is sent as the content. A string was turned into bytes. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

/** A message that may be sent. */
export interface PreparedMail {
  readonly from: Path | null;
  readonly to: readonly Recipient[];
  readonly content: Content;
  readonly given: OutgoingMail;
}

/**
 * Checks a message, before anything is sent.
 * @throws SmtpError `bad-address`; `bad-argument` for a bare CR or LF in bytes, and for anything that no command can carry.
 */
export function prepareMail(mail: OutgoingMail): PreparedMail {
  const { to, data, envelopeId, submitter } = mail;
  const from = mail.from === null ? null : readPath(mail.from, "sender");
  const recipients = isList(to) ? to.map(readRecipient) : [readRecipient(to)];
  if (recipients.length === 0) throw badArgument("a message without a recipient");
  if (envelopeId !== undefined && !isEnvelopeId(envelopeId)) {
    throw badArgument(
      "`envelopeId` is not 1 to 100 printable ASCII characters, each that xtext encodes counted for three",
    );
  }
  if (mail.ret !== undefined && mail.ret !== "FULL" && mail.ret !== "HDRS")
    throw badArgument("`ret` is FULL or HDRS");
  if (submitter !== undefined) readPath(submitter, "sender");
  if (!isContent(data)) throw badArgument("`data` is a string, bytes or an asynchronous iterable");
  const content = typeof data === "string" ? textBytes(data) : data;
  if (data instanceof Uint8Array && mail.binary !== true) {
    const check = new LineCheck();
    if (!check.push(data) || check.openCr) throw badContent();
  }
  return { from, to: recipients, content, given: mail };
}

/** What untyped code may get wrong. */
function isContent(data: unknown): boolean {
  return (
    typeof data === "string" ||
    (typeof data === "object" &&
      data !== null &&
      (data instanceof Uint8Array || Symbol.asyncIterator in data))
  );
}

/** The parameters of MAIL towards this server. @throws SmtpError `not-offered`. */
export function parametersFor(
  { from, to, content, given }: PreparedMail,
  extensions: Extensions,
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
  return {
    size,
    body: bodyFor(content, given, extensions, need),
    submitter: given.submitter,
    utf8,
    requireTls: given.requireTls === true && need("REQUIRETLS", "a message that requires TLS"),
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
  // A stream may hold anything: said to be 8-bit where that can be said.
  return extensions.has("8BITMIME") ? "8BITMIME" : "7BIT";
}

function isEnvelopeId(text: string): boolean {
  return /^[ -~]+$/.test(text) && encodeXtext(text).length <= GRAMMAR_LIMITS.envelopeId;
}

function isList(to: OutgoingMail["to"]): to is Exclude<OutgoingMail["to"], string | OutgoingRecipient> {
  return Array.isArray(to);
}

function readRecipient(given: string | OutgoingRecipient): Recipient {
  if (typeof given === "string") return readPath(given, "recipient");
  const { address, notify, originalRecipient: original } = given;
  const path = readPath(address, "recipient");
  if (original !== undefined) {
    const text = original.type.toLowerCase() === "utf-8" ? /^\P{Cc}+$/u : /^[ -~]+$/;
    if (!/^[\w!#$%&'*+/=?^`{|}~.-]+$/.test(original.type) || !text.test(original.address)) {
      throw badArgument("`originalRecipient` has a character that cannot stand there");
    }
    const sent = formatRcptParameters({ ...path, originalRecipient: original });
    if (sent.length > " ORCPT=".length + GRAMMAR_LIMITS.originalRecipient)
      throw badArgument("`originalRecipient` is longer than 500 characters as it is sent, in xtext");
  }
  if (notify?.every((event) => ["SUCCESS", "FAILURE", "DELAY"].includes(event)) === false) {
    throw badArgument("`notify` is a list of SUCCESS, FAILURE and DELAY");
  }
  return {
    ...path,
    ...(notify === undefined ? {} : { notify }),
    ...(original === undefined ? {} : { originalRecipient: original }),
  };
}

function readPath(address: string, role: "sender" | "recipient"): Path {
  const path = parsePath(`<${address}>`, role, !isAscii(address));
  if (path === null) throw badArgument(`an empty address: a ${role} has one, but for \`from: null\``);
  return path;
}

/** Text with CRLF for its line endings. */
function textBytes(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/\r\n|\r|\n/g, "\r\n"));
}

export function badContent(): SmtpError {
  return badArgument("the content has a CR or LF that is not part of CRLF");
}
