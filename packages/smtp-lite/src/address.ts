// The grammar of paths and mailboxes, RFC 5321 section 4.1.2, and with SMTPUTF8 that of RFC 6531 section 3.3, which lets UTF-8
// stand wherever a letter may. It knows characters; it knows no commands.
//
//   Reverse-path   = Path / "<>"
//   Forward-path   = Path / "<Postmaster>" / "<Postmaster@" Domain ">"
//   Path           = "<" [ A-d-l ":" ] Mailbox ">"
//   A-d-l          = At-domain *( "," At-domain )           ; accepted and ignored (appendix C)
//   At-domain      = "@" Domain
//   Mailbox        = Local-part "@" ( Domain / address-literal )
//   Local-part     = Dot-string / Quoted-string
//   Dot-string     = Atom *("." Atom)
//   Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
//   QcontentSMTP   = %d32-33 / %d35-91 / %d93-126 / "\" %d32-126       ; Domain, address-literal: domain.ts
import { characters, isAscii } from "./characters.ts";
import { readDomain } from "./domain.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";

/** A mailbox out of a path, without its source route. */
export interface Path {
  /** The mailbox in its shortest spelling: `user@example.com`, `"a b"@example.com`, `Postmaster`. */
  readonly address: string;
  /** The local part, without quotes and backslashes. Only its own host may say whether case matters. */
  readonly localPart: string;
  /** The domain as written, `[127.0.0.1]` for a literal; `undefined` only for `<Postmaster>`. */
  readonly domain: string | undefined;
}

/** On whose behalf an address stands: decides between 5.1.7 and 5.1.3. */
export type AddressRole = "sender" | "recipient";

/** How an address is to be read. */
interface Reading {
  readonly role: AddressRole;
  /** UTF-8 may stand in it. */
  readonly utf8: boolean;
}

const SENDER: Reading = { role: "sender", utf8: false };
const UTF8_SENDER: Reading = { role: "sender", utf8: true };
const RECIPIENT: Reading = { role: "recipient", utf8: false };
const UTF8_RECIPIENT: Reading = { role: "recipient", utf8: true };

function readingOf(role: AddressRole, utf8: boolean): Reading {
  if (role === "sender") return utf8 ? UTF8_SENDER : SENDER;
  return utf8 ? UTF8_RECIPIENT : RECIPIENT;
}

/** A path as found in a line. `path` is `null` for `<>`. */
export interface FoundPath {
  readonly path: Path | null;
  /** Index after the closing bracket. */
  readonly end: number;
}

const AT = 0x40;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const QUOTE = 0x22;

/** Section 4.1.2 by way of RFC 5322 section 3.2.3: atext. */
const ATEXT = characters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~");

/**
 * Reads the path that begins at index `at` of a line (latin1).
 * @param utf8 SMTPUTF8 is in force.
 * @throws SmtpError `bad-address` with the reply that the client should see.
 */
export function readPath(line: string, at: number, role: AddressRole, utf8: boolean): FoundPath {
  const reading = readingOf(role, utf8);
  if (line[at] !== "<")
    throw bad(line, at, reading, "an address stands in angle brackets: <user@example.com>");
  let index = at + 1;
  if (line[index] === ">") {
    if (role === "recipient") throw bad(line, index, reading, "a recipient cannot be empty");
    return { path: null, end: index + 1 };
  }
  if (line.charCodeAt(index) === AT) index = skipRoute(line, index, reading);
  const begin = index;
  const local = readLocalPart(line, begin, reading);
  if (local.end - begin > GRAMMAR_LIMITS.localPart) {
    throw bad(line, begin, reading, `the local part is longer than ${GRAMMAR_LIMITS.localPart} bytes`);
  }
  index = local.end;
  let domain: string | undefined;
  if (line.charCodeAt(index) === AT) {
    const end = readDomain(line, index + 1, utf8);
    if (end === undefined) throw bad(line, index + 1, reading, "the domain is malformed");
    domain = line.slice(index + 1, end);
    if (domain.length > GRAMMAR_LIMITS.domain) {
      throw bad(line, index + 1, reading, `the domain is longer than ${GRAMMAR_LIMITS.domain} bytes`);
    }
    index = end;
  } else if (role === "sender" || local.value.toLowerCase() !== "postmaster") {
    // Section 4.1.1.3: Postmaster alone needs no domain, and only as a recipient.
    throw bad(line, index, reading, "the address has no domain");
  }
  if (line[index] !== ">") throw bad(line, index, reading, "the address is malformed");
  if (index + 1 - at > GRAMMAR_LIMITS.path) {
    throw bad(line, at, reading, `the path is longer than ${GRAMMAR_LIMITS.path} bytes`);
  }
  const end = index + 1;
  // What is not quoted stands there in its shortest spelling.
  if (!utf8 && line.charCodeAt(begin) !== QUOTE)
    return { path: { address: line.slice(begin, index), localPart: local.value, domain }, end };
  if (!utf8) return { path: makePath(local.value, domain), end };
  const localPart = decode(local.value);
  const host = decode(domain ?? "");
  if (localPart === undefined || host === undefined)
    throw bad(line, at, reading, "it is not UTF-8, or has a control character");
  return { path: makePath(localPart, domain === undefined ? undefined : host), end };
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 out of a string of bytes (latin1); `undefined` when it is none, or holds a control character (U+0080 to U+009F). */
function decode(bytes: string): string | undefined {
  try {
    const text = strictUtf8.decode(Buffer.from(bytes, "latin1"));
    return /\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Makes a path from its parts, unchecked: `formatPath` and `parsePath` go through the grammar. */
export function makePath(localPart: string, domain: string | undefined): Path {
  const local = isDotString(localPart) ? localPart : `"${localPart.replaceAll(/["\\]/g, "\\$&")}"`;
  return { address: domain === undefined ? local : `${local}@${domain}`, localPart, domain };
}

/** `<user@example.com>`, or `<>` for `null`. The inverse of `parsePath`. */
export function formatPath(path: Path | null): string {
  return path === null ? "<>" : `<${path.address}>`;
}

/**
 * Parses a whole path, brackets and all. The inverse of `formatPath`.
 * @param utf8 take more than ASCII, as SMTPUTF8 does. Default: false.
 * @throws SmtpError `bad-address`
 */
export function parsePath(text: string, role: AddressRole, utf8: boolean = false): Path | null {
  const line = utf8 ? Buffer.from(text).toString("latin1") : text;
  const found = readPath(line, 0, role, utf8);
  if (found.end !== line.length)
    throw bad(line, found.end, readingOf(role, false), "something stands behind the address");
  return found.path;
}

interface LocalPart {
  readonly value: string;
  readonly end: number;
}

function readLocalPart(line: string, at: number, reading: Reading): LocalPart {
  if (line.charCodeAt(at) === QUOTE) return readQuoted(line, at, reading);
  const end = dotStringEnd(line, at, reading.utf8);
  if (end === undefined) throw bad(line, at, reading, "the local part is malformed");
  return { value: line.slice(at, end), end };
}

function readQuoted(line: string, at: number, reading: Reading): LocalPart {
  let value = "";
  for (let index = at + 1; index < line.length; index++) {
    let code = line.charCodeAt(index);
    if (code === QUOTE) return { value, end: index + 1 };
    if (code === BACKSLASH) code = line.charCodeAt(++index);
    if (!(code >= 32 && code <= 126) && !(reading.utf8 && code >= 128))
      throw bad(line, index, reading, "not allowed in a quoted local part");
    value += String.fromCharCode(code);
  }
  throw bad(line, at, reading, "the quoted local part has no end");
}

function isDotString(text: string): boolean {
  return dotStringEnd(text, 0, true) === text.length;
}

/** Where the dot-string ends that begins at `at`; `undefined` where none does. */
function dotStringEnd(text: string, at: number, utf8: boolean): number | undefined {
  let index = at;
  for (;;) {
    const atom = index;
    while (ATEXT[text.charCodeAt(index)] === 1 || (utf8 && text.charCodeAt(index) >= 128)) index++;
    if (index === atom) return undefined;
    if (text.charCodeAt(index) !== DOT) return index;
    index++;
  }
}

/** `@a,@b:` before the mailbox; returns the index behind the colon. */
function skipRoute(line: string, at: number, reading: Reading): number {
  let index = at;
  for (;;) {
    const end = line.charCodeAt(index) === AT ? readDomain(line, index + 1, reading.utf8) : undefined;
    if (end === undefined) throw bad(line, index, reading, "the source route is malformed");
    if (line[end] === ":") return end + 1;
    if (line[end] !== ",") throw bad(line, end, reading, "the source route is malformed");
    index = end + 1;
  }
}

function bad(line: string, index: number, { role, utf8 }: Reading, problem: string): SmtpError {
  const message = `bad ${role} address: ${problem}`;
  if (!utf8 && (line.charCodeAt(index) > 126 || !isAscii(line))) return needsUtf8();
  const enhanced = role === "sender" ? "5.1.7" : "5.1.3";
  return new SmtpError("bad-address", message, { reply: { code: 501, enhanced, lines: [capital(message)] } });
}

/** RFC 6531 section 3.5: an address that is not ASCII needs SMTPUTF8. */
export function needsUtf8(): SmtpError {
  return new SmtpError("bad-address", "an address that is not ASCII, without SMTPUTF8", {
    reply: { code: 553, enhanced: "5.6.7", lines: ["The address is not ASCII: MAIL needs SMTPUTF8"] },
  });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
