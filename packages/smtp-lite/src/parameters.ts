// ESMTP parameters behind the address of MAIL and RCPT, RFC 5321 section 4.1.1.11. It knows the keywords offered.
//
//   Mail-parameters = esmtp-param *(SP esmtp-param)
//   esmtp-param     = esmtp-keyword ["=" esmtp-value]
//   esmtp-keyword   = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
//   esmtp-value     = 1*(%d33-60 / %d62-126)
//   SIZE            = "SIZE=" 1*20DIGIT                             ; MAIL: RFC 1870 section 5
//   BODY            = "BODY=" ("7BIT" / "8BITMIME" / "BINARYMIME")  ; RFC 6152 section 2, RFC 3030 section 3
//   AUTH            = "AUTH=" ( xtext / "<>" )                      ; RFC 4954 section 5; a mailbox in xtext
//   SMTPUTF8        = "SMTPUTF8"                                    ; RFC 6531 section 3.4
//   REQUIRETLS      = "REQUIRETLS"                                  ; RFC 8689 section 2, under TLS only
//   RET             = "RET=" ( "FULL" / "HDRS" )                    ; RFC 3461 section 4.3
//   ENVID           = "ENVID=" xtext                                ; 4.4
//   NOTIFY          = "NOTIFY=" ( "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" ) )  ; RCPT: 4.1
//   ORCPT           = "ORCPT=" atom ";" xtext                       ; 4.2; type utf-8: RFC 6533 section 3
import { isUtf8 } from "node:buffer";
import { parsePath } from "./address.ts";
import { isAscii } from "./characters.ts";
import type { Path } from "./address.ts";
import type { Dialect } from "./dialect.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import { NO_PARAMETERS } from "./parameter-types.ts";
import type { BodyType, DeliveryEvent, MailParameters, Recipient } from "./parameter-types.ts";
import { decodeUnicodeXtext, decodeXtext, encodeUnicodeXtext, encodeXtext } from "./xtext.ts";

/**
 * Parses what stands behind the address of MAIL.
 * After HELO there are none (RFC 5321 section 2.2.1).
 * @throws SmtpError `unknown-parameter` (555 5.5.4), `bad-parameter` (501 5.5.4)
 */
export function parseMailParameters(text: string, { extended, secure }: Dialect): MailParameters {
  const found: { -readonly [Name in keyof MailParameters]: MailParameters[Name] } = { ...NO_PARAMETERS };
  for (const { keyword, value } of splitParameters(text, extended)) {
    switch (keyword) {
      case "SIZE":
        if (value === undefined || !/^[0-9]{1,20}$/.test(value)) throw bad("SIZE takes 1 to 20 digits");
        found.size = Number(value);
        break;
      case "BODY":
        found.body = bodyType(value);
        break;
      case "AUTH":
        found.submitter = mailbox(value);
        break;
      case "SMTPUTF8":
        if (value !== undefined) throw bad("SMTPUTF8 takes no value");
        found.utf8 = true;
        break;
      case "REQUIRETLS":
        if (!secure) throw unknown(keyword);
        if (value !== undefined) throw bad("REQUIRETLS takes no value");
        found.requireTls = true;
        break;
      case "RET":
        found.ret = returned(value);
        break;
      case "ENVID":
        if (value === undefined || value.length > GRAMMAR_LIMITS.envelopeId)
          throw bad("ENVID takes 1 to 100 characters of xtext");
        found.envelopeId = xtext(keyword, value);
        break;
      default:
        throw unknown(keyword);
    }
  }
  return found;
}

/**
 * The recipient `path` with what stands behind it.
 * @throws SmtpError `unknown-parameter` (555 5.5.4), `bad-parameter` (501 5.5.4)
 */
export function parseRcptParameters(text: string, path: Path, { extended, utf8 }: Dialect): Recipient {
  const found: { -readonly [Name in keyof Recipient]: Recipient[Name] } = { ...path };
  for (const { keyword, value } of splitParameters(text, extended)) {
    switch (keyword) {
      case "NOTIFY":
        found.notify = deliveryEvents(value);
        break;
      case "ORCPT":
        found.originalRecipient = originalRecipient(value, utf8);
        break;
      default:
        throw unknown(keyword);
    }
  }
  return found;
}

/** ` SIZE=1000 BODY=8BITMIME`, with a leading space, or nothing. The inverse of `parseMailParameters`. */
export function formatMailParameters(parameters: MailParameters): string {
  const { size, body, submitter, utf8, requireTls, ret, envelopeId } = parameters;
  let text = size === undefined ? "" : ` SIZE=${size}`;
  if (body !== "7BIT") text += ` BODY=${body}`;
  if (submitter !== undefined) text += ` AUTH=${encodeXtext(submitter)}`;
  if (utf8) text += " SMTPUTF8";
  if (requireTls) text += " REQUIRETLS";
  if (ret !== undefined) text += ` RET=${ret}`;
  if (envelopeId !== undefined) text += ` ENVID=${encodeXtext(envelopeId)}`;
  return text;
}

/** ` NOTIFY=NEVER`, with a leading space, or nothing. The inverse of `parseRcptParameters`. */
export function formatRcptParameters({ notify, originalRecipient }: Recipient): string {
  let text = notify === undefined ? "" : ` NOTIFY=${notify.length === 0 ? "NEVER" : notify.join(",")}`;
  if (originalRecipient !== undefined) {
    const { type, address } = originalRecipient;
    const encode = type.toLowerCase() === "utf-8" ? encodeUnicodeXtext : encodeXtext;
    text += ` ORCPT=${type};${encode(address)}`;
  }
  return text;
}

interface Parameter {
  readonly keyword: string;
  readonly value: string | undefined;
}

/** @throws SmtpError `bad-parameter` for one that is malformed or comes twice; `unknown-parameter` after HELO. */
function splitParameters(text: string, extended: boolean): Parameter[] {
  const seen = new Set<string>();
  return text.split(" ").map((word) => {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    // A line of a reply has 512 bytes (RFC 5321 section 4.5.3.1.5).
    const shown = name.slice(0, 64);
    if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(name)) throw bad("a malformed parameter");
    const keyword = name.toUpperCase();
    if (!extended) throw unknown(keyword);
    // RFC 6531 section 3.3 lets UTF-8 stand in a value; what takes it says so.
    if (value !== undefined && !/^[!-<>-~\x80-\xff]+$/.test(value))
      throw bad(`a malformed value for ${shown}`);
    if (seen.has(keyword)) throw bad(`${shown} given twice`);
    seen.add(keyword);
    return { keyword, value };
  });
}

function bodyType(value: string | undefined): BodyType {
  const type = value?.toUpperCase();
  if (type === "7BIT" || type === "8BITMIME" || type === "BINARYMIME") return type;
  throw bad("BODY is 7BIT, 8BITMIME or BINARYMIME");
}

/** The mailbox of AUTH; `undefined` for `<>`. */
function mailbox(value: string | undefined): string | undefined {
  if (value === "<>") return undefined;
  const text = value === undefined ? undefined : decodeXtext(value);
  if (text === undefined) throw bad("AUTH takes a mailbox in xtext, or <>");
  try {
    return parsePath(`<${text}>`, "sender")?.address;
  } catch {
    throw bad("AUTH takes a mailbox in xtext, or <>");
  }
}

function returned(value: string | undefined): "FULL" | "HDRS" {
  const ret = value?.toUpperCase();
  if (ret === "FULL" || ret === "HDRS") return ret;
  throw bad("RET is FULL or HDRS");
}

function deliveryEvents(value: string | undefined): readonly DeliveryEvent[] {
  const words = value?.toUpperCase().split(",") ?? [];
  if (words.length === 1 && words[0] === "NEVER") return [];
  const events = new Set<DeliveryEvent>();
  for (const word of words) {
    if (word !== "SUCCESS" && word !== "FAILURE" && word !== "DELAY")
      throw bad("NOTIFY is NEVER alone, or a list of SUCCESS, FAILURE and DELAY");
    events.add(word);
  }
  if (events.size === 0) throw bad("NOTIFY takes a value");
  return [...events];
}

function originalRecipient(value: string | undefined, utf8: boolean): { type: string; address: string } {
  const match = /^([A-Za-z0-9!#$%&'*+/?^_`{|}~-]+);(.+)$/.exec(value ?? "");
  if (match === null || (value?.length ?? 0) > GRAMMAR_LIMITS.originalRecipient)
    throw bad("ORCPT takes a type, a semicolon and xtext");
  const [, type = "", text = ""] = match;
  if (type.toLowerCase() !== "utf-8") return { type, address: xtext("ORCPT", text) };
  const bytes = Buffer.from(text, "latin1");
  const address = isAscii(text) || (utf8 && isUtf8(bytes)) ? decodeUnicodeXtext(bytes.toString()) : undefined;
  if (address === undefined) throw bad("ORCPT of type utf-8 is malformed");
  return { type, address };
}

function xtext(keyword: string, value: string): string {
  const text = decodeXtext(value);
  if (text === undefined) throw bad(`${keyword} is no xtext of printable ASCII`);
  return text;
}

function bad(problem: string): SmtpError {
  return new SmtpError("bad-parameter", problem, {
    reply: { code: 501, enhanced: "5.5.4", lines: [`Bad parameter: ${problem}`] },
  });
}

function unknown(keyword: string): SmtpError {
  return new SmtpError("unknown-parameter", `parameter ${keyword} is not offered`, {
    reply: { code: 555, enhanced: "5.5.4", lines: [`Parameter ${keyword.slice(0, 64)} is not offered`] },
  });
}
