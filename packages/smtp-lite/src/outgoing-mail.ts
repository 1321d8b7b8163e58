// One message as its sender gives it, checked and made ready to be sent. It knows what may stand in an envelope; it knows no
// server.
import { parsePath } from "./address.ts";
import { isAscii } from "./characters.ts";
import type { Path } from "./address.ts";
import { badArgument } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import { LineCheck } from "./line-check.ts";
import { badContent, endContent, takeContent } from "./outgoing-content.ts";
import { formatRcptParameters } from "./parameters.ts";
import type { Recipient } from "./parameter-types.ts";
import { encodeXtext } from "./xtext.ts";

const CRLF = "\r\n";

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
   * CRLF throughout, and arrive as they are. A last line without CRLF gets one, but not that of
   * `binary` bytes. A stream brings bytes, not strings, and belongs to us from the call on: whatever becomes of the message, it
   * is ended.
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
 * Checks a message, before anything is sent, and takes its content: where it throws, a stream is ended.
 * @throws SmtpError `bad-address`; `bad-argument` for a bare CR or LF in bytes, and for anything that no command can carry.
 */
export function prepareMail(mail: OutgoingMail): PreparedMail {
  takeContent(mail.data);
  try {
    return prepare(mail);
  } catch (error) {
    endContent(mail.data);
    throw error;
  }
}

function prepare(mail: OutgoingMail): PreparedMail {
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
  if (submitter !== undefined) {
    if (!isAscii(submitter)) throw badArgument("`submitter` is not ASCII");
    readPath(submitter, "sender");
  }
  if (!isContent(data)) throw badArgument("`data` is a string, bytes or an asynchronous iterable");
  return { from, to: recipients, content: contentOf(data, mail.binary), given: mail };
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

/** Text becomes lines that end by CRLF; bytes have to be that, but for the end of the last one. */
function contentOf(data: OutgoingMail["data"], binary = false): Content {
  if (typeof data === "string") {
    const text = data.replaceAll(/\r\n|\r|\n/g, CRLF);
    return Buffer.from(text === "" || text.endsWith(CRLF) ? text : text + CRLF);
  }
  if (!(data instanceof Uint8Array) || binary) return data;
  const check = new LineCheck();
  if (!check.push(data) || check.openCr) throw badContent();
  return check.lineStart ? data : Buffer.concat([data, Buffer.from(CRLF)]);
}
